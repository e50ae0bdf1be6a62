#include "trainer/data/dataset.hpp"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "trainer/data/cifar10.hpp"
#include "trainer/data/synthetic.hpp"
#include "trainer/determinism/digest.hpp"

namespace lockstep::trainer {

namespace {

Dataset read_or_make(const DataConfig& config) {
    if (config.dataset == DatasetName::cifar10) return read_cifar10(config.path);
    return make_synthetic(config.training_samples, config.test_samples, config.synthetic_seed);
}

// The counts and the shape lead, so that bytes moved from one split to the other show.
std::string digest_of(const Dataset& dataset) {
    Sha256 digest;
    const std::string header =
        fmt::format("images {} {} {} {} {}\n", dataset.training.count(), dataset.test.count(),
                    dataset.shape.channels, dataset.shape.height, dataset.shape.width);
    digest.update(std::as_bytes(std::span(header)));
    for (const ImageSet* images : {&dataset.training, &dataset.test}) {
        digest.update(std::as_bytes(std::span(images->pixels)));
        digest.update(std::as_bytes(std::span(images->labels)));
    }
    return digest.hex();
}

}  // namespace

std::shared_ptr<const Dataset> load_dataset(const DataConfig& config) {
    auto dataset = std::make_shared<Dataset>(read_or_make(config));
    dataset->digest = digest_of(*dataset);
    return dataset;
}

DatasetTraits dataset_traits(const DataConfig& config) {
    return config.dataset == DatasetName::cifar10 ? cifar10_traits(config.path)
                                                  : nominal_traits(config);
}

DatasetTraits nominal_traits(const DataConfig& config) {
    if (config.dataset == DatasetName::cifar10) return official_cifar10_traits();
    return {{.height = 32, .width = 32, .channels = 3},
            cifar10_class_names(),
            config.training_samples,
            config.test_samples,
            "those of the synthetic set",
            ""};
}

}  // namespace lockstep::trainer
