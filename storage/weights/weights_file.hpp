#pragma once

// model.h5: weights in Keras' whole-model layout, so that Keras users can load what was trained
// here, with a group /lockstep of our own beside it. docs/weights_layout.md fixes the layout.
//
// The bytes are a function of the values alone: no clock, host, path or number of ranks. A file is
// built in memory and written whole (atomic_file.hpp). libhdf5 never touches the disk.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/files/atomic_file.hpp"
#include "storage/records/records.hpp"

namespace lockstep::storage {

// The format of /lockstep; raised on every change. Newer ones are refused.
inline constexpr int kStateFormat = 1;

using StateValue = std::variant<std::int64_t, double, std::string>;

// The content of /lockstep.
struct StateGroup {
    // Attributes: run id, seed, epoch, digests, versions, ... `format` is written by itself.
    std::map<std::string, StateValue> values;
    // Arrays by the group they stand in: "optimizer/momentum" holds
    // /lockstep/optimizer/momentum/<layer>/<name>. Their order is kept.
    std::map<std::string, NamedArrays> arrays;
};

// One layer as Keras' model_config has it.
struct KerasLayer {
    std::string name;
    std::string class_name;   // Conv2D, InputLayer, ...
    std::string config_json;  // the layer's "config": {"name":"conv2d","filters":32,...}
    // Of a network that is no chain.
    std::vector<std::string> inputs{};         // names of layers
    std::vector<std::int64_t> output_shape{};  // of one sample
};

// A Sequential network, or a Functional one, whose layers name their inputs.
struct KerasModel {
    std::string name = "sequential";
    std::vector<KerasLayer> layers;    // in order; an InputLayer may be the first
    std::string training_config_json;  // "" leaves it out

    bool is_functional() const;
};

// {"class_name":"Sequential","config":{"name":N,"layers":[...]}} of Keras 2, in ASCII.
// Throws std::invalid_argument if a text is no JSON.
std::string model_config_json(const KerasModel& model);

// The bytes of a model.h5.
//   weights   in the order of Keras' get_weights; every array's layer is one of model.layers
// Throws
//   std::invalid_argument   if an array's layer is unknown, its values do not fill its shape, or a
//                           name is empty or has a '/'
//   StorageError (io)       if libhdf5 fails (out of memory)
Bytes model_file_bytes(const KerasModel& model, const NamedArrays& weights,
                       const std::optional<StateGroup>& state = {});

// The bytes of a model.h5 that is a file of weights alone too: layer_names and the layers' groups
// stand at the root as well, as further names of the ones in model_weights. So Keras' load_model,
// its load_weights, and programs that know the older layout alone all find what they look for.
// Throws as above, and std::invalid_argument for a layer named model_weights or lockstep.
Bytes portable_model_bytes(const KerasModel& model, const NamedArrays& weights,
                           const std::optional<StateGroup>& state = {});

// The same as model_file_bytes(), written to `path`. Throws StorageError as replace_file() does.
SavedFile write_model_file(const std::filesystem::path& path, const KerasModel& model,
                           const NamedArrays& weights, const std::optional<StateGroup>& state = {},
                           const BeforeNaming& before_naming = {});

// What a model.h5, or a Keras file of weights alone, holds.
struct ModelFile {
    NamedArrays weights;               // in the order of the file's layer_names and weight_names
    std::string model_config_json;     // "" in a file of weights alone
    std::string training_config_json;  // "" where there is none
    std::optional<StateGroup> state;   // of files that were written here
    // Of weights alone in Keras 3's layout, which does not say how layers follow one another: each
    // array's place, conv2d_1 for the second Conv2D (keras_names.hpp). Else none.
    std::vector<std::string> places{};
};

// Reads a .keras archive or any Keras .h5 (whole model, or weights alone, by layer_names at the
// root or in Keras 3's layout): float16 to float64 of either byte order, gzip, shuffle, fletcher32.
// Layers without weights are left out. Throws StorageError
//   missing, no_permission, io   as read_file() does
//   bad_data   not HDF5; not Keras' layout; soft or external links, external storage, virtual or
//              foreign-filtered data sets; a data set that declares far more than it stores;
//              damaged
ModelFile read_model_file(const std::filesystem::path& path);
NamedArrays read_weights(const std::filesystem::path& path);
// The same from the bytes of an .h5; `origin` names them in messages.
ModelFile parse_model_file(std::span<const std::byte> bytes, std::string_view origin);

}  // namespace lockstep::storage
