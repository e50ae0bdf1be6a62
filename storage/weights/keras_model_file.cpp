#include "storage/weights/keras_model_file.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "storage/files/storage_error.hpp"
#include "storage/files/zip_reading.hpp"
#include "storage/weights/keras_archive_reading.hpp"

namespace lockstep::storage {
namespace {

bool begins_with(const Bytes& bytes, std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::string_view(reinterpret_cast<const char*>(bytes.data()), magic.size()) == magic;
}

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_json(const Bytes& bytes) {
    const std::string text = text_of(bytes);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string::npos && text[first] == '{';
}

}  // namespace

ModelFile read_keras_model(const std::filesystem::path& path) {
    const Bytes bytes = read_file(path);
    const std::string origin = path.string();
    if (is_zip(bytes)) return parse_keras_archive(bytes, origin);
    if (begins_with(bytes, "\x89HDF")) {
        ModelFile file = parse_model_file(bytes, origin);
        if (!file.model_config_json.empty()) return file;
        throw StorageError(StorageError::Kind::bad_data,
                           fmt::format("{} has weights alone, no model_config: save the whole "
                                       "model, model.save(\"model.keras\")",
                                       origin));
    }
    if (is_json(bytes))
        return {.weights = {},
                .model_config_json = text_of(bytes),
                .training_config_json = {},
                .state = {}};
    throw StorageError(StorageError::Kind::bad_data,
                       fmt::format("{} is no model of Keras: neither an archive (.keras), nor HDF5 "
                                   "(.h5), nor JSON",
                                   origin));
}

}  // namespace lockstep::storage
