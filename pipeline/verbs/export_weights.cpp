#include "pipeline/verbs/export_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipeline/exporting/export_notes.hpp"
#include "pipeline/exporting/onnx_network.hpp"
#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/exporting/saved_scale.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/keras_config.hpp"
#include "pipeline/keras/untold_training.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/network_notes.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/exports/onnx_file.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/weights/keras_archive.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKerasWeightsEnd = ".weights.h5";

// How the files of a format are named; Keras tells them apart by it.
std::string_view end_of_name(WeightsFormat format) {
    switch (format) {
        case WeightsFormat::keras_h5:
            return ".h5";
        case WeightsFormat::keras_weights:
            return kKerasWeightsEnd;
        case WeightsFormat::keras:
            return ".keras";
        case WeightsFormat::onnx:
            break;
    }
    return ".onnx";
}

void check_name(const fs::path& out, WeightsFormat format) {
    const std::string name = out.filename().string();
    if (format == WeightsFormat::onnx) return;  // its readers take any name
    if (!name.ends_with(end_of_name(format))) {
        throw UsageError(
            fmt::format("--out {}: Keras reads this format only from a file whose "
                        "name ends in {}",
                        out.string(), end_of_name(format)));
    }
    if (format == WeightsFormat::keras_h5 && name.ends_with(kKerasWeightsEnd)) {
        throw UsageError(fmt::format("--out {}: Keras takes this name for --format keras-weights",
                                     out.string()));
    }
}

fs::path output_path(const ExportWeightsOptions& options, const SavedNetwork& network) {
    if (!options.out) {
        return network.planned.run.config.name + std::string(end_of_name(options.format));
    }
    std::error_code ignored;  // a file that does not exist is another one
    if (fs::equivalent(*options.out, network.path, ignored)) {
        throw UsageError(
            fmt::format("--out {}: that is the file to export", options.out->string()));
    }
    return *options.out;
}

// The state of a weights file: what it is of, and the notes beside it.
storage::StateGroup state_of(const SavedNetwork& network, const ExportNotes& notes) {
    storage::StateGroup state;
    for (const auto& [key, text] : notes) {
        state.values[key] = text;
        if (!network.file.state) continue;
        const auto found = network.file.state->values.find(key);  // as a number, where it is one
        if (found != network.file.state->values.end()) state.values[key] = found->second;
    }
    return state;
}

storage::Bytes onnx_bytes(const SavedNetwork& network, const trainer::PixelScale& scale,
                          const ExportNotes& notes) {
    const RunSpec& run = network.planned.run;
    return storage::onnx_file_bytes(
        onnx_network(run.config, run.architecture, network.weights, scale, notes));
}

storage::Bytes keras_bytes(const SavedNetwork& network, const ExportNotes& notes,
                           WeightsFormat format) {
    const RunSpec& run = network.planned.run;
    const storage::KerasModel model = keras_model(run.config, run.architecture);
    const storage::NamedArrays arrays = to_arrays(network.weights);
    if (format == WeightsFormat::keras_h5) {
        return storage::portable_model_bytes(model, arrays, state_of(network, notes));
    }
    if (format == WeightsFormat::keras_weights) return storage::keras_weights_bytes(model, arrays);
    return storage::keras_archive_bytes(model, arrays, to_json(notes));
}

std::string text_of(const ExportNotes& notes, std::string_view wanted) {
    for (const auto& [key, text] : notes) {
        if (key == wanted) return text;
    }
    return {};
}

// A file that is fed wrong pixels gives wrong answers without a word, so the word is said here.
void tell_input_and_output(const ExportNotes& notes) {
    fmt::print(stderr, "pixel scaling {} (offset {}, divisor {}); gives {}\n",
               text_of(notes, "pixel_scaling"), text_of(notes, "pixel_offset"),
               text_of(notes, "pixel_divisor"), text_of(notes, "output"));
}

// Of files that say how they were trained.
void tell_untold_training(const trainer::RunConfig& config, WeightsFormat format) {
    const std::vector<std::string> untold = untold_training(config);
    const bool has_training = format == WeightsFormat::keras_h5 || format == WeightsFormat::keras;
    if (untold.empty() || !has_training) return;
    tell_failure({kExitSuccess,
                  fmt::format("note: Keras' files have no word for {}: a model that is trained on "
                              "there goes on without",
                              fmt::join(untold, ", "))});
}

}  // namespace

int export_weights(const ExportWeightsOptions& options) {
    if (options.out) check_name(*options.out, options.format);
    const SavedNetwork network = read_saved_network(options.network);
    tell_notes(network);
    const fs::path out = output_path(options, network);
    const trainer::PixelScale scale = pixel_scale_of(network);
    const bool is_onnx = options.format == WeightsFormat::onnx;
    const ExportNotes notes =
        export_notes(network, scale, is_onnx ? ScalingPlace::inside : ScalingPlace::caller);
    storage::replace_file(out, is_onnx ? onnx_bytes(network, scale, notes)
                                       : keras_bytes(network, notes, options.format));
    tell_input_and_output(notes);
    tell_untold_training(network.planned.run.config, options.format);
    print(reports::terminal_text(out.string()) + '\n');
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
