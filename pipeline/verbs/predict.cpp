#include "pipeline/verbs/predict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/exporting/saved_scale.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/training/run_queue.hpp"
#include "pipeline/verbs/network_notes.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/data/image_file.hpp"
#include "trainer/environment.hpp"
#include "trainer/evaluate.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// Images that are held in memory at once.
constexpr std::size_t kBatch = 1024;

// The files that are meant, folders unfolded.
std::vector<fs::path> files_of(const std::vector<std::string>& texts) {
    std::vector<fs::path> files;
    for (const std::string& text : texts) {
        std::error_code ignored;
        if (!fs::exists(text, ignored)) {
            throw Failure(kExitMissingInput, fmt::format("{}: there is no such file", text));
        }
        if (!fs::is_directory(text, ignored)) {
            files.emplace_back(text);
            continue;
        }
        const std::vector<fs::path> found = trainer::image_files_in(text);
        if (found.empty()) {
            throw Failure(kExitMissingInput,
                          fmt::format("{}: a folder without PNG, JPEG or PPM files", text));
        }
        files.insert(files.end(), found.begin(), found.end());
    }
    return files;
}

// Some images as a network's samples.
struct Samples {
    trainer::ImageSet images;
    std::vector<std::string> files;     // beside the images
    std::vector<std::string> problems;  // of files that are left out
};

Samples read_samples(std::span<const fs::path> files, const trainer::Shape& shape,
                     const trainer::Resizing& resizing) {
    Samples samples;
    std::vector<std::uint8_t> pixels;
    for (const fs::path& file : files) {
        try {
            const auto planes = trainer::image_planes(trainer::read_image(file), shape, resizing);
            pixels.insert(pixels.end(), planes.begin(), planes.end());
            samples.images.labels.push_back(0);  // nobody knows
            samples.files.push_back(file.string());
        } catch (const trainer::DataError& error) {
            if (error.kind() == trainer::DataError::Kind::bad_request) throw;
            samples.problems.emplace_back(error.what());
        }
    }
    samples.images.pixels = std::move(pixels);
    return samples;
}

trainer::SampleSet all_of(const trainer::ImageSet& images) {
    trainer::SampleSet set{&images, {}, images.labels};
    set.indices.resize(images.labels.size());
    std::iota(set.indices.begin(), set.indices.end(), 0U);
    return set;
}

// The `top` most probable classes of one image; of equals the one with the lower label first.
void add_rows(storage::Table& table, const std::string& file, std::span<const float> probabilities,
              const std::vector<std::string>& class_names, std::size_t top) {
    std::vector<std::size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t label) { return probabilities[label]; });
    for (std::size_t place = 0; place < std::min(top, order.size()); ++place) {
        table.rows.push_back({file, static_cast<std::int64_t>(place) + 1, class_names[order[place]],
                              static_cast<double>(probabilities[order[place]])});
    }
}

class Predictor {
public:
    Predictor(const trainer::Communicator& world, const PredictOptions& options)
        : world_(world), top_(options.top), views_(options.views) {
        do_on_all(world, [&] {
            network_ = read_saved_network(options.network);
            check_ranks({.experiment = {}, .title = {}, .runs = {network_.planned}}, world.size());
            data_.shape = network_.planned.run.architecture.input;
            data_.class_names = network_.planned.run.class_names;
            data_.scale = pixel_scale_of(network_);
            files_ = files_of(options.files);
        });
        if (world.is_root()) tell_notes(network_);
        trainer::agree_on_compute_environment(world);
    }

    // The rows, on rank 0.
    storage::Table predict() {
        table_ = {{"file", "place", "class", "probability"}, {}};
        for (std::size_t begin = 0; begin < files_.size(); begin += kBatch) {
            const std::size_t count = std::min(kBatch, files_.size() - begin);
            predict_some(std::span(files_).subspan(begin, count));
        }
        return std::move(table_);
    }
    bool has_problems() const { return has_problems_; }

private:
    // Every rank reads for itself; rank 0 tells.
    void predict_some(std::span<const fs::path> files) {
        Samples samples;
        do_on_all(world_, [&] {
            const auto resizing = trainer::resizing_for(network_.planned.run.config.data);
            samples = read_samples(files, data_.shape, resizing);
        });
        has_problems_ = has_problems_ || !samples.problems.empty();
        if (world_.is_root()) {
            for (const std::string& problem : samples.problems) {
                tell_failure({kExitBadData, problem});
            }
        }
        if (samples.files.empty()) return;
        const trainer::RunConfig& config = network_.planned.run.config;
        const auto evaluation =
            trainer::evaluate(config, network_.weights, data_, all_of(samples.images), world_,
                              views_.value_or(config.data.test_views));
        if (!world_.is_root()) return;
        const std::size_t classes = data_.class_names.size();
        for (std::size_t i = 0; i < samples.files.size(); ++i) {
            add_rows(table_, samples.files[i],
                     std::span(evaluation.probabilities).subspan(i * classes, classes),
                     data_.class_names, top_);
        }
    }

    const trainer::Communicator& world_;
    std::size_t top_;
    std::optional<trainer::TestViews> views_;
    SavedNetwork network_;
    trainer::RunData data_;
    std::vector<fs::path> files_;
    storage::Table table_;
    bool has_problems_ = false;
};

int predict_on(const trainer::Communicator& world, const PredictOptions& options) {
    Predictor predictor(world, options);
    const storage::Table table = predictor.predict();
    if (world.is_root()) print_fitting(table, options.format, {.may_drop = false});
    return predictor.has_problems() ? kExitBadData : kExitSuccess;
}

}  // namespace

int predict(const PredictOptions& options, ProcessArguments arguments) {
    return do_with_ranks(
        arguments, [&](const trainer::Communicator& world) { return predict_on(world, options); });
}

}  // namespace lockstep::pipeline
