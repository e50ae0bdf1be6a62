#include "pipeline/experiment/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "pipeline/experiment/inheritance.hpp"
#include "pipeline/experiment/layer_settings.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostAxes = 100;  // the keys that there are to sweep are fewer

bool is_inherited_table(std::string_view key) {
    return std::find(kInheritedTables.begin(), kInheritedTables.end(), key) !=
           kInheritedTables.end();
}

bool is_name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

// The text with everything that no name may hold replaced by '_'.
std::string with_name_letters(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return !is_name_letter(c); }, '_');
    return text;
}

std::string value_word(const Value& value, std::size_t index) {
    if (const Table* table = value.as<Table>()) {
        const Value* name = table->find("name");
        if (name && name->as<std::string>()) return with_name_letters(*name->as<std::string>());
    }
    const bool has_words = !value.as<Table>() && !value.as<Array>() && !value.as<Unusable>();
    return has_words ? with_name_letters(plain_text(value)) : fmt::format("{}", index + 1);
}

// Values that would be called by one word are numbered.
std::vector<std::string> value_words(const Array& values) {
    std::vector<std::string> words;
    std::map<std::string, int> uses;
    for (std::size_t i = 0; i < values.size(); ++i) {
        words.push_back(value_word(values[i], i));
        ++uses[words.back()];
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (uses[words[i]] > 1) words[i] += fmt::format("_{}", i + 1);
    }
    return words;
}

class AxisReader {
public:
    explicit AxisReader(Problems& problems) : problems_(problems) {}

    void read(const Entry& entry, const std::string& prefix) {
        const std::string dotted = prefix + entry.key;
        if (const Table* inner = entry.value.as<Table>()) {  // train.epochs = [...] without quotes
            for (const Entry& one : inner->entries()) read(one, dotted + '.');
            return;
        }
        std::vector<std::string> key = with_layer_name(split_key(dotted));
        if (key.size() < 2 || !(is_inherited_table(key[0]) || is_layer_setting(key))) {
            problems_.add(entry.origin,
                          fmt::format("cannot sweep {}; a swept key begins with data., train., "
                                      "parallel., checkpoint. or layers.NAME.",
                                      quoted_text(dotted)));
        } else if (dotted == "train.seeds") {
            problems_.add(entry.origin, "sweep \"train.seed\" or give seeds in [train]");
        } else if (!keys_.insert(dotted).second) {
            problems_.add(entry.origin, fmt::format("{} is swept twice", quoted_text(dotted)));
        } else if (keys_.size() > kMostAxes) {
            problems_.add(entry.origin,
                          fmt::format("more than {} keys are swept; that is the most", kMostAxes));
        } else {
            add(entry, dotted, std::move(key));
        }
    }

    std::vector<Axis> take_axes() { return std::move(axes_); }

private:
    void add(const Entry& entry, const std::string& dotted, std::vector<std::string> key) {
        const Array* values = entry.value.as<Array>();
        if (values && !values->empty()) {
            refuse_equal_values(dotted, *values);
            axes_.push_back({std::move(key), *values, value_words(*values), entry.origin});
        } else if (!entry.value.as<Unusable>()) {
            problems_.add(
                entry.origin,
                fmt::format("{} must be a list of values to sweep, not {}", quoted_text(dotted),
                            values ? "an empty list" : described(entry.value)));
        }
    }

    void refuse_equal_values(const std::string& dotted, const Array& values) {
        std::set<std::string> known;
        for (const Value& value : values) {
            if (value.as<Unusable>() || known.insert(plain_text(value)).second) continue;
            problems_.add(value.origin,
                          fmt::format("{} lists {} twice", quoted_text(dotted),
                                      value.as<Table>() || value.as<Array>() ? "one value"
                                                                             : described(value)));
        }
    }

    Problems& problems_;
    std::vector<Axis> axes_;
    std::set<std::string> keys_;
};

// The last `count` words of a key.
std::string last_words(const std::vector<std::string>& key, std::size_t count) {
    const auto first = key.end() - static_cast<std::ptrdiff_t>(std::min(count, key.size()));
    return with_name_letters(
        fmt::format("{}", fmt::join(std::vector<std::string>(first, key.end()), "_")));
}

bool selects(const Axis& axis) { return axis.key.back() == "name" || axis.key.back() == "monitor"; }

bool is_laid_before(const SweptValue& a, const SweptValue& b) {
    return std::tuple(a.axis->key.size(), !selects(*a.axis)) <
           std::tuple(b.axis->key.size(), !selects(*b.axis));
}

bool is_one_place(const Origin& a, const Origin& b) {
    return std::tie(a.text, a.line, a.column) == std::tie(b.text, b.line, b.column);
}

// Whether what was written at a key is still what stands there: of a table its name or, without
// one, any of its values.
bool still_stands(const Value& written, const Value* there) {
    if (!there) return false;
    const Table* table = there->as<Table>();
    const Table* above = written.as<Table>();
    if (!above) {  // "sgd" may stand as { name = "sgd" }
        return table ? still_stands(written, table->find("name"))
                     : is_one_place(written.origin, there->origin);
    }
    if (!table) return false;
    if (const Value* name = above->find("name")) return still_stands(*name, table->find("name"));
    const auto& entries = above->entries();
    return entries.empty() || std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
               return still_stands(entry.value, table->find(entry.key));
           });
}

}  // namespace

std::vector<Axis> sweep_axes(const Table& file, Problems& problems) {
    const Value* sweep = file.find("sweep");
    if (!sweep) return {};
    AxisReader reader(problems);
    if (const Table* table = sweep->as<Table>()) {
        for (const Entry& entry : table->entries()) reader.read(entry, "");
    } else {
        problems.add(sweep->origin, "sweep must be a table: [sweep]");
    }
    return reader.take_axes();
}

std::vector<std::string> axis_words(const std::vector<const Axis*>& axes, bool has_seed_words) {
    std::vector<std::string> words;
    for (const Axis* axis : axes) {
        const auto is_told = [&](std::size_t count) {
            const std::string word = last_words(axis->key, count);
            const auto same = std::count_if(axes.begin(), axes.end(), [&](const Axis* other) {
                return last_words(other->key, count) == word;
            });
            return same == 1 && !(has_seed_words && word == "seed");
        };
        std::size_t count = 1;
        while (count < axis->key.size() && !is_told(count)) ++count;
        words.push_back(last_words(axis->key, count));
    }
    return words;
}

Value SweptValue::value() const {
    Value value = axis->values[index];
    if (value.origin.kind == Origin::Kind::file) value.origin.kind = Origin::Kind::sweep;
    return value;
}

void lay_over(Table& settings, const std::vector<SweptValue>& values) {
    std::vector<SweptValue> ordered = values;
    std::stable_sort(ordered.begin(), ordered.end(), is_laid_before);
    for (const SweptValue& one : ordered)
        lay_over(settings, nested_table(one.axis->key, one.value()));
}

bool stands_in(const Table& settings, const SweptValue& swept) {
    const std::vector<std::string>& key = swept.axis->key;
    if (is_layer_setting(key)) {
        const Value* value = settings.find(key[0]);
        const Array* layers = value ? value->as<Array>() : nullptr;
        return layers && still_stands(swept.value(), find_layer_setting(*layers, key[1], key[2]));
    }
    const Table* table = &settings;
    for (std::size_t i = 0; table && i + 1 < key.size(); ++i) {
        const Value* inner = table->find(key[i]);
        table = inner ? inner->as<Table>() : nullptr;
    }
    return table && still_stands(swept.value(), table->find(key.back()));
}

}  // namespace lockstep::pipeline
