#include "pipeline/verbs/preview.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/experiment/augmentation_section.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/training/run_data.hpp"
#include "reports/page/png_image.hpp"
#include "storage/files/atomic_file.hpp"
#include "trainer/augmentation/augmentation_grid.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {
namespace {

// Runs whose images are changed alike, by the first of them.
std::vector<const PlannedRun*> different_augmentations(const Plan& plan) {
    std::vector<const PlannedRun*> runs;
    std::map<std::pair<std::string, std::string>, const PlannedRun*> known;
    for (const PlannedRun& planned : plan.runs) {
        const trainer::DataConfig& data = planned.run.config.data;
        if (data.augmentation.empty()) continue;
        const auto key = std::pair(dataset_key(data), augmentation_text(data.augmentation));
        if (known.try_emplace(key, &planned).second) runs.push_back(&planned);
    }
    return runs;
}

std::filesystem::path path_for(const PreviewOptions& options, const PlannedRun& planned,
                               std::size_t runs) {
    std::filesystem::path out = options.out.value_or("preview.png");
    if (runs == 1) return out;
    const std::string name = fmt::format("{}-{}{}", out.stem().string(), planned.run.base_name,
                                         out.extension().string());
    return out.parent_path() / name;
}

}  // namespace

int preview(const PreviewOptions& options) {
    const Plan plan = plan_experiment(read_experiment_file(options.spec.file), options.spec);
    const std::vector<const PlannedRun*> runs = different_augmentations(plan);
    if (runs.empty())
        throw UsageError("no run of the file has data.augmentation: there is nothing to preview");
    std::map<std::string, std::shared_ptr<const trainer::Dataset>> datasets;
    for (const PlannedRun* planned : runs) {
        const trainer::RunConfig& config = planned->run.config;
        auto& dataset = datasets[dataset_key(config.data)];
        if (dataset == nullptr) dataset = trainer::load_dataset(config.data);
        const trainer::RunData data =
            trainer::select_samples(dataset, config.data, config.train.seed);
        const trainer::AugmentationGrid grid =
            trainer::augmentation_grid(data.training, data.shape, config.data.augmentation,
                                       config.train.seed, options.images, options.epochs);
        const std::filesystem::path path = path_for(options, *planned, runs.size());
        const std::vector<std::uint8_t> png =
            reports::png_bytes(grid.pixels, grid.width, grid.height, reports::PngPixels::rgb);
        storage::replace_file(path, std::as_bytes(std::span(png)));
        print(fmt::format("{}: {} images of {} as they are, and as epochs 1 to {} see them\n",
                          path.string(),
                          std::min<std::int64_t>(options.images, data.training.count()),
                          planned->run.base_name, options.epochs));
    }
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
