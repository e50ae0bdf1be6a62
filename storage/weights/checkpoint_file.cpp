#include "storage/weights/checkpoint_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "liveness/fault_point.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

const std::string kSlots = "optimizer/";
const std::string kEarlyStopping = "early_stopping";
const std::string kCheckpoint = "checkpoint";
const std::string kPlateau = "plateau";
const std::string kBestWeights = "_weights";

// ---- state -> /lockstep ------------------------------------------------------------------------

void put_best(StateGroup& group, const std::string& name, const std::optional<BestValue>& best,
              const NamedArrays& weights) {
    if (best) {
        group.values[name + "_value"] = best->value;
        group.values[name + "_epoch"] = std::int64_t{best->epoch};
        group.values[name + "_epochs_since"] = std::int64_t{best->epochs_since};
    }
    if (!weights.empty()) group.arrays[name + kBestWeights] = weights;
}

StateGroup group_of(const CheckpointState& state) {
    StateGroup group;
    group.values = {{"run", state.run},
                    // Attributes are signed; the bits are kept.
                    {"seed", static_cast<std::int64_t>(state.seed)},
                    {"config_digest", state.config_digest},
                    {"data_digest", state.data_digest},
                    {"lockstep_version", state.lockstep_version},
                    {"onednn_version", state.onednn_version},
                    {"isa", state.isa},
                    {"simd_target", state.simd_target},
                    {"arithmetic", state.arithmetic},
                    {"epoch", std::int64_t{state.epochs_finished}},
                    {"step", state.steps_taken},
                    {"stopped_early", std::int64_t{state.stopped_early}}};
    if (state.so_far != EpochProgress{}) {
        group.values["epoch_steps"] = state.so_far.steps;
        group.values["epoch_loss_sum"] = state.so_far.loss_sum;
        group.values["epoch_correct"] = state.so_far.correct;
        group.values["epoch_count"] = state.so_far.count;
    }
    for (const auto& [slot, arrays] : state.slots) group.arrays[kSlots + slot] = arrays;
    put_best(group, kEarlyStopping, state.early_stopping, state.early_stopping_weights);
    put_best(group, kCheckpoint, state.checkpoint, state.checkpoint_weights);
    if (state.plateau) {
        put_best(group, kPlateau, state.plateau->best, {});
        group.values[kPlateau + "_epochs_waited"] = std::int64_t{state.plateau->epochs_waited};
        group.values[kPlateau + "_cooldown"] = std::int64_t{state.plateau->cooldown};
        group.values[kPlateau + "_learning_rate"] = state.plateau->learning_rate;
    }
    for (const auto& [name, value] : state.further) {
        if (!group.values.emplace(name, value).second) {
            throw std::invalid_argument("the state has a value " + name + " of its own");
        }
    }
    return group;
}

// ---- /lockstep -> state ------------------------------------------------------------------------

// Takes the values out of the group one by one; what is left is `further`.
class StateReader {
public:
    StateReader(StateGroup& group, std::string_view origin) : group_(group), origin_(origin) {}

    bool has(const std::string& name) const { return group_.values.contains(name); }
    template <typename Value>
    Value take(const std::string& name) {
        auto node = group_.values.extract(name);
        auto* value = node.empty() ? nullptr : std::get_if<Value>(&node.mapped());
        if (value == nullptr) refuse(name);
        return std::move(*value);
    }
    std::string text(const std::string& name) { return take<std::string>(name); }
    int number(const std::string& name) {
        const auto value = take<std::int64_t>(name);
        if (value < 0 || value > std::numeric_limits<int>::max()) refuse(name);
        return static_cast<int>(value);
    }
    std::optional<BestValue> best(const std::string& name) {
        if (!group_.values.contains(name + "_value")) return std::nullopt;
        return BestValue{take<double>(name + "_value"), number(name + "_epoch"),
                         number(name + "_epochs_since")};
    }
    std::optional<PlateauProgress> plateau() {
        const auto reached = best(kPlateau);
        if (!reached) return std::nullopt;
        return PlateauProgress{*reached, number(kPlateau + "_epochs_waited"),
                               number(kPlateau + "_cooldown"),
                               take<double>(kPlateau + "_learning_rate")};
    }
    EpochProgress so_far() {
        if (!has("epoch_steps")) return {};
        return {take<std::int64_t>("epoch_steps"), take<double>("epoch_loss_sum"),
                take<std::int64_t>("epoch_correct"), take<std::int64_t>("epoch_count")};
    }
    NamedArrays arrays(const std::string& path) {
        auto node = group_.arrays.extract(path);
        return node.empty() ? NamedArrays{} : std::move(node.mapped());
    }
    std::map<std::string, NamedArrays> slots() {
        std::map<std::string, NamedArrays> slots;
        for (auto& [path, arrays] : group_.arrays) {
            if (path.starts_with(kSlots)) slots[path.substr(kSlots.size())] = std::move(arrays);
        }
        return slots;
    }

private:
    [[noreturn]] void refuse(const std::string& name) const {
        throw StorageError(
            Kind::bad_data,
            fmt::format("{}: no training state: \"{}\" is missing or wrong", origin_, name));
    }
    StateGroup& group_;
    std::string_view origin_;
};

void require_finite(const NamedArrays& arrays, std::string_view what, std::string_view origin) {
    const auto is_finite = [](float value) { return std::isfinite(value); };
    for (const NamedArray& array : arrays) {
        if (std::ranges::all_of(array.values, is_finite)) continue;
        throw StorageError(Kind::bad_data,
                           fmt::format("{}: its {} {}/{} hold a value that is no finite number",
                                       origin, what, array.layer, array.name));
    }
}

void require_finite(const CheckpointState& state, std::string_view origin) {
    require_finite(state.weights, "weights", origin);
    for (const auto& [name, arrays] : state.slots) require_finite(arrays, name, origin);
    require_finite(state.early_stopping_weights, "best weights", origin);
    require_finite(state.checkpoint_weights, "best weights", origin);
}

// ---- which file to trust -----------------------------------------------------------------------

// The state in `path`, or nothing and why in `warnings`.
std::optional<LoadedCheckpoint> try_load(const fs::path& path,
                                         std::span<const std::string> known_digests,
                                         std::vector<std::string>& warnings) {
    try {
        const Bytes bytes = read_file(path);
        LoadedCheckpoint loaded;
        loaded.sha256 = sha256_hex(bytes);
        const bool is_known =
            known_digests.empty() || std::find(known_digests.begin(), known_digests.end(),
                                               loaded.sha256) != known_digests.end();
        if (!is_known) {
            warnings.push_back(fmt::format(
                "{}: not what the database recorded (SHA-256 {}...): damaged, or written just "
                "before a crash",
                path.string(), loaded.sha256.substr(0, 12)));
            return std::nullopt;
        }
        loaded.state = parse_checkpoint(bytes, path.string());
        return loaded;
    } catch (const StorageError& error) {
        if (error.kind() == Kind::bad_data) {
            warnings.emplace_back(error.what());
        } else if (error.kind() != Kind::missing) {
            throw;  // a failing disk says nothing about the file
        }
        return std::nullopt;
    }
}

}  // namespace

Bytes checkpoint_bytes(const KerasModel& model, const CheckpointState& state) {
    return model_file_bytes(model, state.weights, group_of(state));
}

SavedFile write_checkpoint(const fs::path& path, const fs::path& previous, const KerasModel& model,
                           const CheckpointState& state, const BeforeNaming& before_naming) {
    liveness::fault_point("ckpt.serialize");
    return replace_file_keeping(previous, path, checkpoint_bytes(model, state), before_naming);
}

CheckpointState parse_checkpoint(std::span<const std::byte> bytes, std::string_view origin) {
    ModelFile file = parse_model_file(bytes, origin);
    if (!file.state) {
        throw StorageError(Kind::bad_data,
                           fmt::format("{}: weights without a training state", origin));
    }
    StateReader reader(*file.state, origin);
    CheckpointState state;
    state.run = reader.text("run");
    state.seed = static_cast<std::uint64_t>(reader.take<std::int64_t>("seed"));
    state.config_digest = reader.text("config_digest");
    state.data_digest = reader.text("data_digest");
    state.lockstep_version = reader.text("lockstep_version");
    state.onednn_version = reader.text("onednn_version");
    state.isa = reader.text("isa");
    state.simd_target = reader.text("simd_target");
    if (reader.has("arithmetic")) state.arithmetic = reader.take<std::int64_t>("arithmetic");
    state.epochs_finished = reader.number("epoch");
    state.steps_taken = reader.take<std::int64_t>("step");
    state.so_far = reader.so_far();
    state.stopped_early = reader.number("stopped_early") != 0;
    state.weights = std::move(file.weights);
    state.slots = reader.slots();
    state.early_stopping = reader.best(kEarlyStopping);
    state.checkpoint = reader.best(kCheckpoint);
    state.plateau = reader.plateau();
    state.early_stopping_weights = reader.arrays(kEarlyStopping + kBestWeights);
    state.checkpoint_weights = reader.arrays(kCheckpoint + kBestWeights);
    state.further = std::move(file.state->values);
    require_finite(state, origin);
    return state;
}

CheckpointState read_checkpoint(const fs::path& path) {
    return parse_checkpoint(read_file(path), path.string());
}

std::optional<LoadedCheckpoint> load_newest_good_checkpoint(
    const fs::path& path, const fs::path& previous, std::span<const std::string> known_digests) {
    std::vector<std::string> warnings;
    std::optional<LoadedCheckpoint> loaded = try_load(path, known_digests, warnings);
    if (!loaded) {
        loaded = try_load(previous, known_digests, warnings);
        if (loaded) loaded->is_previous = true;
    }
    if (!loaded && warnings.empty() && !known_digests.empty())
        warnings.push_back(path.string() + " and the one before are gone");
    if (!loaded && !warnings.empty()) {
        throw StorageError(Kind::bad_data,
                           fmt::format("no checkpoint can be used: {}", fmt::join(warnings, "; ")));
    }
    if (loaded) loaded->warnings = std::move(warnings);
    return loaded;
}

void promote_previous_checkpoint(const fs::path& path, const fs::path& previous) {
    rename_file(previous, path);
}

}  // namespace lockstep::storage
