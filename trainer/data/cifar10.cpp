#include "trainer/data/cifar10.hpp"

#include "trainer/data/cifar_files.hpp"

namespace lockstep::trainer {

namespace {

CifarFormat cifar10_format() {
    return {.word = "cifar10",
            .title = "CIFAR-10",
            .training_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                               "data_batch_4.bin", "data_batch_5.bin"},
            .test_files = {"test_batch.bin"},
            .folder = "cifar-10-batches-bin",
            .label_bytes = 1,
            .label_place = 0,
            .names_file = "batches.meta.txt",
            .class_names = cifar10_class_names(),
            .names_in_words = "CIFAR-10's ten",
            .training_samples = 50000,
            .test_samples = 10000,
            .expected = "data_batch_1.bin to data_batch_5.bin and test_batch.bin",
            .source =
                "The official archive is "
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz "
                "(md5 c32a1d4ab5d03f1284b67883e8d87530), and scripts/fetch-cifar10.sh gets "
                "it"};
}

}  // namespace

std::vector<std::string> cifar10_class_names() {
    return {"airplane", "automobile", "bird",  "cat",  "deer",
            "dog",      "frog",       "horse", "ship", "truck"};
}

Dataset read_cifar10(const std::filesystem::path& path) {
    return read_cifar(cifar10_format(), path);
}

DatasetTraits cifar10_traits(const std::filesystem::path& path) {
    return cifar_traits(cifar10_format(), path);
}

DatasetKind cifar10_kind() {
    return {
        .word = "cifar10",
        .load = [](const DataConfig& config) { return read_cifar10(config.path); },
        .require = [](const DataConfig& config) { require_cifar(cifar10_format(), config.path); },
        .traits = [](const DataConfig& config) { return cifar10_traits(config.path); },
        .nominal_traits = [](const DataConfig&) { return official_cifar_traits(cifar10_format()); },
    };
}

}  // namespace lockstep::trainer
