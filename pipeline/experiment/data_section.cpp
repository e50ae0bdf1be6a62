// [data] and [parallel] (sections.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "pipeline/experiment/augmentation_section.hpp"
#include "pipeline/experiment/dataset_settings.hpp"
#include "pipeline/experiment/sections.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "trainer/data/dataset_kind.hpp"

namespace lockstep::pipeline {
namespace {

constexpr int kMostShards = 4096;
constexpr std::size_t kLongestPath = 4096;  // Linux' PATH_MAX

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
    return {texts.begin(), texts.end()};
}

// What a class list that is meant for another data set looks like.
std::string unknown_class(const std::string& name, const trainer::DatasetTraits& traits) {
    std::string hint = did_you_mean(name, views_of(traits.class_names));
    if (hint.empty()) hint = fmt::format("; it has {}", fmt::join(traits.class_names, ", "));
    return fmt::format("the data set has no class {}{}", toml_string(name), hint);
}

bool is_in(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// The classes of a run, each once.
//   traits   of the data set that must have them; null where that was not looked at
std::vector<std::string> read_classes(TableReader& reader, const trainer::DatasetTraits* traits) {
    std::vector<std::string> classes;
    const Value* value = reader.find("classes");
    if (!value || value->as<Unusable>()) return classes;
    const Array* list = value->as<Array>();
    const auto is_other = [](const Value& element) {
        return !element.as<std::string>() && !element.as<Unusable>();
    };
    if (!list || std::any_of(list->begin(), list->end(), is_other)) {
        reader.must_be("classes", *value, "a list of class names");
        return classes;
    }
    for (const Value& element : *list) {
        if (element.as<Unusable>()) {
            reader.context().problems.add_again();
            continue;
        }
        const std::string& name = *element.as<std::string>();
        if (traits && !is_in(traits->class_names, name)) {
            reader.problem(element, unknown_class(name, *traits),
                           "its class names are " + traits->class_names_origin);
        } else if (is_in(classes, name)) {
            reader.problem(element, fmt::format("class {} is listed twice", quoted_text(name)));
        } else {
            classes.push_back(name);
        }
    }
    if (list->size() == 1)
        reader.problem(*value, "one class is nothing to learn; list two or more");
    return classes;
}

// What the fraction leaves of about so many samples of a class, on either side.
void refuse_empty_part(TableReader& reader, double fraction, std::int64_t class_samples) {
    const auto samples = static_cast<double>(class_samples);
    const double cut_off = std::floor(fraction * samples + 0.5);
    if (cut_off > 0.0 && cut_off < samples) return;
    const Value& value = *reader.find("fraction");
    reader.problem(
        value, fmt::format("fraction = {} of about {} samples of a class leaves none to {}",
                           described(value), class_samples, cut_off > 0.0 ? "train" : "validate"));
}

// `training_samples`: those there are to divide, of so many classes.
trainer::ValidationConfig read_validation(TableReader& reader, std::int64_t training_samples,
                                          std::size_t classes) {
    const Value* value = reader.find("validation");
    if (!value || value->as<Unusable>()) return trainer::NoValidation{};
    const auto* word = value->as<std::string>();
    if (word && *word == "none") return trainer::NoValidation{};
    if (word && *word == "test") return trainer::TestSetValidation{};
    const Table* table = value->as<Table>();
    if (!table || table->entries().size() != 1) {
        reader.must_be("validation", *value,
                       "\"none\", \"test\", { first = samples } or { fraction = part }");
        return trainer::NoValidation{};
    }
    TableReader inner(*table, "data.validation.", KeyGroup::validation, reader.context());
    if (const auto count =
            inner.whole("first", {1, std::max<std::int64_t>(training_samples - 1, 1)})) {
        return trainer::FirstValidation{*count};
    }
    const RealRange parts{0.0, 1.0, false, false, Precision::float64};
    if (const auto fraction = inner.real("fraction", parts)) {
        const auto count = static_cast<std::int64_t>(std::max<std::size_t>(classes, 1));
        refuse_empty_part(inner, *fraction, training_samples / count);
        return trainer::FractionValidation{*fraction};
    }
    return trainer::NoValidation{};
}

// Replaces each ${NAME} by the variable's value, and each ${0xff} by the byte. Stops where the
// result is longer than a path can be.
std::string expanded(const std::string& text, const Origin& origin, const Environment& environment,
                     Problems& problems) {
    std::string result;
    std::size_t begin = 0;
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", begin)) {
        const std::size_t end = text.find('}', at);
        if (end == std::string::npos) {
            problems.add(origin, "\"${\" without \"}\"");
            return text;
        }
        if (result.size() > kLongestPath) break;
        const std::string name = text.substr(at + 2, end - at - 2);
        const std::optional<char> byte = byte_named(name);
        const std::optional<std::string> value = byte ? std::string(1, *byte) : environment(name);
        if (!value) {
            problems.add(origin,
                         fmt::format("the environment variable {} is not set", quoted_text(name)));
        }
        result += text.substr(begin, at - begin) + value.value_or("");
        begin = end + 1;
    }
    return result + text.substr(begin);
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
    std::error_code no_current_folder;  // then the path stays as it is
    const std::filesystem::path absolute = std::filesystem::absolute(path, no_current_folder);
    return (no_current_folder ? path : absolute).lexically_normal();
}

// `config` is complete but for its path.
std::filesystem::path read_data_path(TableReader& reader, const trainer::DataConfig& config,
                                     const PathContext& paths) {
    if (const Value* value = reader.find("path")) {
        const auto text = reader.bytes("path");
        if (!text) return {};
        if (text->empty()) reader.problem(*value, "path must not be empty");
        return resolved_path(*text, value->origin, paths, reader.context().problems);
    }
    const std::optional<std::string> variable = paths.environment("LOCKSTEP_DATA");
    const bool is_set = variable && !variable->empty();
    const std::filesystem::path usual = absolute_path(is_set ? *variable : "data");
    std::filesystem::path place = trainer::place_of_files(config, usual);
    std::string& origin = reader.context().origins["data.path"];
    if (is_set) origin = "$LOCKSTEP_DATA";
    if (place != usual) origin = "found on this system";
    if (origin.empty()) reader.context().origins.erase("data.path");
    return place;
}

// Where programs of this user keep what can be made again; nowhere if $LOCKSTEP_CACHE is "".
std::filesystem::path cache_folder(const Environment& environment) {
    if (const auto own = environment("LOCKSTEP_CACHE"))
        return own->empty() ? std::filesystem::path() : absolute_path(*own);
    const auto caches = environment("XDG_CACHE_HOME");
    if (caches && caches->starts_with('/')) return std::filesystem::path(*caches) / "lockstep";
    const auto home = environment("HOME");
    if (home && home->starts_with('/')) return std::filesystem::path(*home) / ".cache" / "lockstep";
    return {};
}

}  // namespace

const Table& table_at(const Table& settings, std::string_view key, ReadContext context) {
    static const Table kEmpty;
    const Value* value = settings.find(key);
    if (!value || value->as<Unusable>()) return kEmpty;
    if (const Table* table = value->as<Table>()) return *table;
    context.problems.add(value->origin,
                         fmt::format("{} must be a table, not {}", key, described(*value)));
    return kEmpty;
}

std::filesystem::path resolved_path(const std::string& text, const Origin& origin,
                                    const PathContext& paths, Problems& problems) {
    const std::string bytes =
        with_home(expanded(text, origin, paths.environment, problems), paths.environment("HOME"));
    if (bytes.size() > kLongestPath) {
        problems.add(origin, fmt::format("the path has more than {} bytes", kLongestPath));
        return {};
    }
    const std::filesystem::path path = bytes;
    return absolute_path(origin.kind == Origin::Kind::set ? path : paths.folder / path);
}

std::int64_t samples_of_classes(std::int64_t samples, std::size_t classes,
                                const trainer::DatasetTraits& traits) {
    const auto all_classes = static_cast<std::int64_t>(traits.class_names.size());
    return all_classes == 0 ? samples : samples * static_cast<std::int64_t>(classes) / all_classes;
}

DataSection read_data(const Table& settings, const PathContext& paths,
                      const SavedClasses& saved_classes, ReadContext context) {
    TableReader reader(table_at(settings, "data", context), "data.", KeyGroup::data, context);
    DataSection data;
    trainer::DataConfig& config = data.config;
    read_dataset_settings(reader, config);
    config.scale = reader.choice("scale", kScales).value_or(config.scale);
    config.path = read_data_path(reader, config, paths);
    config.cache_folder = cache_folder(paths.environment);
    config.augmentation = read_augmentation(reader);
    config.test_views = reader.choice("test_views", kTestViews).value_or(config.test_views);
    // What a saved network tells itself needs no data: they may be away, or others by now.
    const bool has_classes = saved_classes && (reader.has("classes") || !saved_classes->empty());
    data.traits = has_classes ? trainer::nominal_traits(config) : trainer::dataset_traits(config);
    config.classes = read_classes(reader, has_classes ? nullptr : &data.traits);
    if (has_classes && config.classes.empty()) config.classes = *saved_classes;
    data.class_names = config.classes.empty() ? data.traits.class_names : config.classes;
    const std::int64_t training_samples =
        samples_of_classes(data.traits.training_samples, data.class_names.size(), data.traits);
    config.validation = read_validation(reader, has_classes ? kMostCount : training_samples,
                                        data.class_names.size());
    return data;
}

trainer::ParallelConfig read_parallel(const Table& settings, ReadContext context) {
    TableReader reader(table_at(settings, "parallel", context), "parallel.", KeyGroup::parallel,
                       context);
    trainer::ParallelConfig config;
    config.shards = reader.count("shards", 1, kMostShards).value_or(config.shards);
    config.exchange = reader.choice("exchange", kExchanges).value_or(config.exchange);
    const Value* ranks = reader.find("ranks_per_run");
    const auto* word = ranks ? ranks->as<std::string>() : nullptr;
    if (!ranks || (word && *word == "all")) return config;
    const auto* count = ranks->as<std::int64_t>();
    if (count && *count >= 1 && *count <= config.shards) {
        config.ranks_per_run = static_cast<int>(*count);
    } else if (count && *count > config.shards) {
        reader.problem(*ranks,
                       fmt::format("ranks_per_run = {} is more than shards = {}; a rank needs "
                                   "at least one shard: raise shards or lower ranks_per_run",
                                   *count, config.shards));
    } else {
        reader.must_be("ranks_per_run", *ranks, "\"all\" or a whole number of at least 1");
    }
    return config;
}

}  // namespace lockstep::pipeline
