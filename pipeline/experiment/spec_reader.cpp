#include "pipeline/experiment/spec_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <utility>

#include "pipeline/experiment/blocks.hpp"
#include "pipeline/experiment/dataset_settings.hpp"
#include "pipeline/experiment/expansion.hpp"
#include "pipeline/experiment/layers_section.hpp"
#include "pipeline/experiment/sections.hpp"
#include "pipeline/keras/layer_order.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "trainer/determinism/digest.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::int64_t kSchema = 1;

// Reads the parts of a file that are not a run's.
void read_header(const Table& file, const std::string& path, ExperimentSpec& spec,
                 ReadContext context) {
    TableReader reader(file, "", KeyGroup::file, context);
    if (const Value* schema = reader.find("schema")) {
        const auto* number = schema->as<std::int64_t>();
        if (!number || *number != kSchema) {
            reader.must_be("schema", *schema, fmt::format("{}, the only one there is", kSchema));
        }
    }
    TableReader experiment(table_at(file, "experiment", context), "experiment.",
                           KeyGroup::experiment, context);
    spec.title = experiment.text("title").value_or("");
    const Value* name = experiment.find("name");
    const auto* text = name ? name->as<std::string>() : nullptr;
    if (text && storage::is_safe_name(*text)) {
        spec.name = *text;
    } else if (name) {
        experiment.must_be("name", *name, kNameRule);
    } else {
        context.problems.add(Origin{Origin::Kind::file, path, 1, 1},
                             "the experiment needs a name: [experiment] name = \"...\"");
    }
}

void require_runs(const Table& file, const std::string& path, Problems& problems) {
    const Value* runs = file.find("run");
    if (runs && !runs->as<Array>()) {
        problems.add(runs->origin, "runs are written [[run]], with two brackets");
    } else if (!runs || runs->as<Array>()->empty()) {
        problems.add(Origin{Origin::Kind::file, path, 1, 1},
                     "nothing to run: the file has no [[run]]");
    }
}

std::vector<ExpectedFigure> read_expected(const Table& settings, ReadContext context) {
    const Table& table = table_at(settings, "expect", context);
    TableReader reader(table, "expect.", KeyGroup::expect, context);
    std::vector<ExpectedFigure> figures;
    for (const Entry& entry : table.entries()) {
        const auto& known = keys_of(KeyGroup::expect).keys;
        if (std::find(known.begin(), known.end(), entry.key) == known.end()) continue;  // refused
        const Value& value = *reader.find(entry.key);
        const Array* list = value.as<Array>();
        ExpectedFigure figure{entry.key, {}, list != nullptr};
        const Array one({value});
        for (const Value& element : list ? *list : one) {
            if (const auto* real = element.as<double>()) figure.values.push_back(*real);
            if (const auto* whole = element.as<std::int64_t>()) {
                figure.values.push_back(static_cast<double>(*whole));
            }
        }
        if (figure.values.size() == (list ? list->size() : 1) && !figure.values.empty()) {
            figures.push_back(std::move(figure));
        } else {
            reader.must_be(entry.key, value, "a number, or a list of numbers, one an epoch");
        }
    }
    return figures;
}

// SHA-256 of files, each read once for all runs that name it.
class FileDigests {
public:
    // Empty if the file is not readable: whoever trains will say so.
    std::string of(const std::filesystem::path& path) {
        if (path.empty()) return {};
        const auto [entry, is_new] = known_.try_emplace(path);
        if (is_new) entry->second = read(path);
        return entry->second;
    }

private:
    static std::string read(const std::filesystem::path& path) {
        try {
            return trainer::sha256_hex(storage::read_file(path));
        } catch (const storage::StorageError&) {
            return {};
        }
    }

    std::map<std::filesystem::path, std::string> known_;
};

// The layers as Keras counts them, and the origins of their settings with them.
void put_in_keras_order(RunSpec& run, const trainer::Shape& input, int classes) {
    std::vector<trainer::LayerConfig>& layers = run.config.layers;
    const std::vector<std::size_t> order = keras_order(layers);
    if (std::ranges::is_sorted(order)) return;
    layers = reordered(layers, order);
    run.architecture = trainer::infer_shapes(layers, input, classes);
    std::map<std::string, std::string> origins;
    for (auto& [key, origin] : run.origins) {
        if (!key.starts_with("layers.")) {
            origins.insert({key, std::move(origin)});
            continue;
        }
        const std::size_t dot = key.find('.', 7);
        const auto layer = static_cast<std::size_t>(std::stoul(key.substr(7, dot - 7)));
        const auto place = std::ranges::find(order, layer) - order.begin();
        origins.insert({fmt::format("layers.{}{}", place, key.substr(dot)), std::move(origin)});
    }
    run.origins = std::move(origins);
}

// What all runs of a file are read with.
struct FileContext {
    PathContext paths;
    const SavedClasses& saved_classes;
    FileDigests digests{};
    bool has_layers = true;  // the blocks gave all layers: shapes say something
};

// A run of the combination, yet without its name and its seed.
RunSpec read_combination(const Combination& combination, FileContext& file, Problems& problems) {
    RunSpec run;
    const ReadContext context{problems, run.origins};
    TableReader reader(combination.settings, "", KeyGroup::run, context);
    run.base_name = combination.base_name;
    run.design_name = combination.design_name;
    run.place = place_of(combination.origin);
    run.title = reader.text("title").value_or("");
    run.source = reader.text("source").value_or("");
    run.expect = read_expected(combination.settings, context);
    reader.find("name");

    trainer::RunConfig& config = run.config;
    config.parallel = read_parallel(combination.settings, context);
    const std::size_t problems_before = problems.found();
    DataSection data = read_data(combination.settings, file.paths, file.saved_classes, context);
    config.layers = read_layers(combination.settings, combination.origin, context);
    const bool has_network = file.has_layers && problems.found() == problems_before;
    config.train = read_train(combination.settings, data, file.paths, context);
    config.data = std::move(data.config);
    run.class_names = std::move(data.class_names);
    run.data_traits = std::move(data.traits);
    if (problems.empty())
        run.initial_weights_sha256 = file.digests.of(config.train.initial_weights);
    if (has_network) {
        const ClassCount classes{
            static_cast<int>(run.class_names.size()),
            config.data.classes.empty() ? run.data_traits.class_names_origin : ""};
        run.architecture = read_architecture(combination.settings, config.layers,
                                             run.data_traits.shape, classes, context);
        if (problems.found() == problems_before)
            put_in_keras_order(run, run.data_traits.shape, classes.count);
    }
    return run;
}

RunSpec with_seed(RunSpec run, const SeededRun& seeded) {
    run.config.name = seeded.name;
    if (seeded.seed) {
        run.config.train.seed =
            static_cast<std::uint64_t>(*seeded.seed->as<std::int64_t>());  // checked
        run.origins["train.seed"] = label_of(seeded.seed->origin);
    }
    return run;
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
}

ExperimentSpec read_spec(std::string_view text, const std::filesystem::path& path,
                         const ReadOptions& options) {
    Problems problems;
    const std::string shown_path = path.string();
    Table file = parse_toml(text, shown_path, problems);
    if (!problems.empty() && file.entries().empty()) problems.throw_if_any();  // no TOML at all
    const std::size_t problems_before = problems.found();
    expand_blocks(file, problems);
    const bool has_layers = problems.found() == problems_before;
    const std::vector<Override> overrides = apply_overrides(file, options.overrides, problems);

    ExperimentSpec spec;
    std::map<std::string, std::string> header_origins;
    read_header(file, shown_path, spec, {problems, header_origins});
    require_runs(file, shown_path, problems);
    FileContext context{.paths = {path.parent_path(), options.environment},
                        .saved_classes = options.saved_classes,
                        .has_layers = has_layers};
    expand_runs(file, overrides, spec.notes, problems, [&](const Combination& combination) {
        const RunSpec run = read_combination(combination, context, problems);
        if (!problems.empty()) return;  // nobody will see the runs
        note_ignored_settings(run, spec.notes);
        for (const SeededRun& seeded : combination.runs)
            spec.runs.push_back(with_seed(run, seeded));
    });
    problems.throw_if_any();
    return spec;
}

std::vector<KnownKeys> known_keys() {
    std::vector<KnownKeys> known;
    for (const KeyList& list : all_keys()) {
        known.push_back({std::string(list.table), {list.keys.begin(), list.keys.end()}});
    }
    return known;
}

}  // namespace lockstep::pipeline
