#include "pipeline/experiment/blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/experiment/layer_settings.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "pipeline/settings/keys.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "pipeline/settings/words.hpp"

namespace lockstep::pipeline {
namespace {

bool is_key_of(KeyGroup group, std::string_view key) {
    return std::ranges::find(keys_of(group).keys, key) != keys_of(group).keys.end();
}

const std::string* text_at(const Table& table, std::string_view key) {
    const Value* value = table.find(key);
    return value ? value->as<std::string>() : nullptr;
}

std::string name_list(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    for (const std::string& name : names) quoted.push_back(quoted_text(name));
    return fmt::format("{}", fmt::join(quoted, ", "));
}

// "$filters" -> "filters"; empty: no parameter.
std::string parameter_in(const Value& value) {
    const auto* text = value.as<std::string>();
    return text && text->size() > 1 && text->front() == '$' ? text->substr(1) : std::string();
}

void find_parameters(const Value& value, std::vector<std::string>& found) {
    if (const std::string name = parameter_in(value);
        !name.empty() && std::ranges::find(found, name) == found.end())
        found.push_back(name);
    if (const Array* list = value.as<Array>())
        for (const Value& element : *list) find_parameters(element, found);
    if (const Table* table = value.as<Table>())
        for (const Entry& entry : table->entries()) find_parameters(entry.value, found);
}

struct Block {
    Origin origin;
    Array layers;
    Table defaults;
    std::vector<std::string> parameters;  // in the order of their first use in the layers
};

// The parameters of one use.
using Arguments = std::map<std::string, Value, std::less<>>;

// A value of a block at one of its uses: parameters replaced, origins that name the use.
class Substitution {
public:
    Substitution(const Arguments& arguments, const Origin& use, const std::string& block)
        : arguments_(arguments), use_(text_of_use(use, block)) {}

    Value of(const Value& value) const {
        if (const auto argument = arguments_.find(parameter_in(value));
            argument != arguments_.end())
            return argument->second;
        Value result = value;
        result.origin = seen(value.origin);
        if (const Array* list = value.as<Array>()) {
            std::vector<Value> elements;
            for (const Value& element : *list) elements.push_back(of(element));
            result.content = Array(std::move(elements));
        }
        if (const Table* table = value.as<Table>()) result.content = of(*table);
        return result;
    }
    Table of(const Table& table) const {
        Table result;
        for (const Entry& entry : table.entries())
            result.append({entry.key, seen(entry.origin), of(entry.value)});
        return result;
    }

private:
    static std::string text_of_use(const Origin& use, const std::string& block) {
        std::string text = fmt::format("block {}, used at line {}", quoted_text(block), use.line);
        if (!use.use.view().empty()) text += fmt::format(" of {}", use.use.view());
        return text;
    }
    Origin seen(Origin origin) const {
        if (origin.use.view().empty()) origin.use = use_;
        return origin;
    }

    const Arguments& arguments_;
    SharedText use_;
};

// The names that a list of layers can use, and what they mean in the network.
class Scope {
public:
    //   prefix   of the names of its layers: empty in a run, "stage_1_" in a block
    //   source   what the first layer reads, as the network calls it
    Scope(std::string prefix, std::string source)
        : prefix_(std::move(prefix)),
          last_(std::move(source)),
          known_{{std::string(kNetworkInput), last_}} {}

    bool is_run() const { return prefix_.empty(); }
    const std::string& last() const { return last_; }
    // The name that a layer or a use has here.
    std::string local_name(const Table& item, std::string_view kind) {
        const std::string* own = text_at(item, "name");
        return own ? *own : automatic_.next(kind);
    }
    std::string full_name(const std::string& local) const { return prefix_ + local; }
    // From now on `local` means that layer of the network, and is what the next one reads.
    void add(const std::string& local, const std::string& full) {
        known_.insert_or_assign(local, full);
        last_ = full;
    }
    const std::string* find(const std::string& local) const {
        const auto found = known_.find(local);
        return found == known_.end() ? nullptr : &found->second;
    }
    std::string suggestion(const std::string& local) const {
        std::vector<std::string_view> names;
        for (const auto& entry : known_) names.push_back(entry.first);
        return did_you_mean(local, names);
    }

private:
    std::string prefix_;
    std::string last_;
    std::map<std::string, std::string, std::less<>> known_;
    KerasNames automatic_;
};

class Expander {
public:
    Expander(const std::map<std::string, Block, std::less<>>& blocks, Problems& problems)
        : blocks_(blocks), problems_(problems) {}

    Array expand(const Array& layers) {
        Scope scope("", std::string(kNetworkInput));
        for (const Value& item : layers) add(item, scope);
        return Array(std::move(layers_));
    }

private:
    void add(const Value& item, Scope& scope) {
        // The reader refuses the list. Uses of blocks multiply, also where they come to nothing.
        if (layers_.size() > kMostLayers || problems_.are_enough()) return;
        const Table* table = item.as<Table>();
        if (table && table->find("block"))
            use(item, *table, scope);
        else
            layer(item, table, scope);
    }

    // A layer of a run stays as it is, but for inputs that name a use.
    void layer(Value item, const Table* table, Scope& scope) {
        const std::string* type = table ? text_at(*table, "type") : nullptr;
        if (type) {
            const std::string local = scope.local_name(*table, *type);
            const std::string full = scope.full_name(local);
            Table named = *table;
            if (!scope.is_run()) named.set("name", {item.origin, full});
            name_sources(named, scope);
            scope.add(local, full);
            item.content = std::move(named);
        }
        layers_.push_back(std::move(item));
    }

    void name_sources(Table& layer, const Scope& scope) {
        Value* inputs = layer.find("inputs");
        if (!inputs) {
            if (pending_source_) layer.set("inputs", *pending_source_);
        } else if (auto* one = inputs->as<std::string>()) {
            *one = source(*one, *inputs, scope);
        } else if (const Array* list = inputs->as<Array>()) {
            std::vector<Value> names(list->begin(), list->end());
            for (Value& name : names)
                if (auto* text = name.as<std::string>()) *text = source(*text, name, scope);
            inputs->content = Array(std::move(names));
        }
        pending_source_.reset();
    }

    // In a run, names that are not known yet are left to whoever reads the layers.
    std::string source(const std::string& local, const Value& value, const Scope& scope) {
        if (const std::string* full = scope.find(local)) return *full;
        if (scope.is_run()) return local;
        problems_.add(value.origin, fmt::format("no layer in front of it in the block is named "
                                                "{}{}; \"input\" is what the block reads",
                                                quoted_text(local), scope.suggestion(local)));
        return scope.last();  // a name that is known: one mistake is told once
    }

    void use(const Value& item, const Table& table, Scope& scope) {
        const std::string* name = text_at(table, "block");
        const auto found = name ? blocks_.find(*name) : blocks_.end();
        if (found == blocks_.end()) {
            refuse_block(*table.find("block"), name);
            return scope.add(scope.local_name(table, name ? *name : "block"), scope.last());
        }
        if (!open_.insert(*name).second)
            return problems_.add(item.origin,
                                 fmt::format("block {} uses itself", quoted_text(*name)));
        const std::optional<Arguments> arguments = arguments_of(item, table, *name, found->second);
        const std::optional<std::string> read = source_of_use(table, scope);
        const int repeat = repeat_of(table);
        const std::string local = scope.local_name(table, *name);
        if (arguments && read) {
            const Substitution substitution(*arguments, item.origin, *name);
            std::string last = *read;
            for (int i = 1; i <= repeat; ++i) {
                const std::string number = repeat > 1 ? fmt::format("_{}", i) : std::string();
                Scope inner(scope.full_name(local) + number + "_", last);
                for (const Value& layer : found->second.layers) add(substitution.of(layer), inner);
                last = inner.last();
            }
            scope.add(local, last);
        } else {
            scope.add(local, scope.last());  // whoever reads it by its name makes no mistake
        }
        open_.erase(*name);
    }

    void refuse_block(const Value& value, const std::string* name) {
        std::vector<std::string_view> known;
        for (const auto& entry : blocks_) known.push_back(entry.first);
        problems_.add(
            value.origin,
            name ? fmt::format("there is no [block.{}]{}", *name, did_you_mean(*name, known))
                 : fmt::format("block must be the name of a [block.NAME], not {}",
                               described(value)));
    }

    // What the use gives, over the block's defaults; nothing if some are missing or unknown.
    std::optional<Arguments> arguments_of(const Value& item, const Table& table,
                                          const std::string& name, const Block& block) {
        Arguments arguments;
        bool are_good = true;
        for (const Entry& entry : block.defaults.entries())
            arguments.insert_or_assign(entry.key, entry.value);
        for (const Entry& entry : table.entries()) {
            if (is_key_of(KeyGroup::block_use, entry.key)) continue;
            if (std::ranges::find(block.parameters, entry.key) == block.parameters.end()) {
                const std::vector<std::string_view> known(block.parameters.begin(),
                                                          block.parameters.end());
                problems_.add(entry.origin,
                              fmt::format("block {} has no parameter {}{}", quoted_text(name),
                                          quoted_text(entry.key), did_you_mean(entry.key, known)));
                are_good = false;
            }
            arguments.insert_or_assign(entry.key, entry.value);
        }
        std::vector<std::string> missing;
        for (const std::string& parameter : block.parameters)
            if (!arguments.contains(parameter)) missing.push_back(parameter);
        if (!missing.empty())
            problems_.add(item.origin,
                          fmt::format("block {} needs {}", quoted_text(name), name_list(missing)));
        return are_good && missing.empty() ? std::optional(std::move(arguments)) : std::nullopt;
    }

    std::optional<std::string> source_of_use(const Table& table, const Scope& scope) {
        const Value* inputs = table.find("inputs");
        if (!inputs) return scope.last();
        const Array* list = inputs->as<Array>();
        const Value* one = list && list->size() == 1 ? &(*list)[0] : inputs;
        const auto* text = one->as<std::string>();
        if (!text) {
            problems_.add(inputs->origin, "a block reads one layer: inputs = \"NAME\"");
            return std::nullopt;
        }
        const std::string* full = scope.find(*text);
        if (!full) {
            problems_.add(one->origin, fmt::format("no layer in front of it is named {}{}",
                                                   quoted_text(*text), scope.suggestion(*text)));
            return std::nullopt;
        }
        if (*full != scope.last()) pending_source_ = Value{one->origin, *full};
        return *full;
    }

    int repeat_of(const Table& table) {
        const Value* value = table.find("repeat");
        if (!value) return 1;
        const auto* count = value->as<std::int64_t>();
        if (count && *count >= 1 && *count <= static_cast<std::int64_t>(kMostLayers))
            return static_cast<int>(*count);
        problems_.add(value->origin,
                      fmt::format("repeat must be a whole number from 1 to {}, not {}", kMostLayers,
                                  described(*value)));
        return 1;
    }

    const std::map<std::string, Block, std::less<>>& blocks_;
    Problems& problems_;
    std::vector<Value> layers_;
    std::set<std::string> open_;           // blocks that are being expanded
    std::optional<Value> pending_source_;  // of the next layer, where a use named its own
};

std::optional<Block> read_block(const std::string& name, const Value& value, Problems& problems) {
    const Table* table = value.as<Table>();
    if (!table) {
        problems.add(value.origin, fmt::format("a block must be a table: [block.{}]", name));
        return std::nullopt;
    }
    for (const Entry& entry : table->entries())
        if (!is_key_of(KeyGroup::block, entry.key))
            problems.add(entry.origin,
                         fmt::format("unknown key {} in [block.{}]{}", quoted_text(entry.key), name,
                                     did_you_mean(entry.key, keys_of(KeyGroup::block).keys)));
    Block block;
    block.origin = value.origin;
    const Value* layers = table->find("layers");
    const Array* list = layers ? layers->as<Array>() : nullptr;
    if (!list || list->empty()) {
        problems.add(layers ? layers->origin : value.origin,
                     fmt::format("[block.{}] needs layers = [...]", name));
        return std::nullopt;
    }
    block.layers = *list;
    find_parameters(*layers, block.parameters);
    const Value* defaults = table->find("defaults");
    if (defaults && !defaults->as<Table>())
        problems.add(defaults->origin, "defaults must be a table: { strides = 1 }");
    if (defaults && defaults->as<Table>()) block.defaults = *defaults->as<Table>();
    for (const Entry& entry : block.defaults.entries())
        if (std::ranges::find(block.parameters, entry.key) == block.parameters.end())
            problems.add(entry.origin,
                         fmt::format("no layer of the block uses \"${}\"", entry.key));
    return block;
}

}  // namespace

void expand_blocks(Table& file, Problems& problems) {
    std::map<std::string, Block, std::less<>> blocks;
    if (const Value* value = file.find("block")) {
        const Table* table = value->as<Table>();
        if (!table) return problems.add(value->origin, "blocks are written [block.NAME]");
        for (const Entry& entry : table->entries())
            if (auto block = read_block(entry.key, entry.value, problems))
                blocks.emplace(entry.key, std::move(*block));
    }
    Value* runs = file.find("run");
    const Array* list = runs ? runs->as<Array>() : nullptr;
    if (!list) return;
    std::vector<Value> expanded(list->begin(), list->end());
    for (Value& run : expanded) {
        Table* table = run.as<Table>();
        Value* layers = table ? table->find("layers") : nullptr;
        const Array* written = layers ? layers->as<Array>() : nullptr;
        if (written) layers->content = Expander(blocks, problems).expand(*written);
    }
    runs->content = Array(std::move(expanded));
}

}  // namespace lockstep::pipeline
