#include "trainer/data/dataset.hpp"

#include "trainer/data/cifar10.hpp"
#include "trainer/data/synthetic.hpp"

namespace lockstep::trainer {

namespace {

Dataset read_or_make(const DataConfig& config) {
    if (config.dataset == DatasetName::cifar10) return read_cifar10(config.path);
    return make_synthetic(config.training_samples, config.test_samples, config.synthetic_seed);
}

}  // namespace

std::shared_ptr<const Dataset> load_dataset(const DataConfig& config) {
    return std::make_shared<const Dataset>(read_or_make(config));
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
