#pragma once

// CIFAR-10 in its binary format (cifar_files.hpp): data_batch_1.bin ... data_batch_5.bin and
// test_batch.bin, records of 3,073 bytes with a label in the first. The official files hold 10,000
// records each. Class names come from batches.meta.txt, else they are the standard ten.
// docs/data.md says more.

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::trainer {

DatasetKind cifar10_kind();

// The ten names in label order: airplane, automobile, bird, cat, deer, dog, frog, horse, ship,
// truck.
std::vector<std::string> cifar10_class_names();

// As read_cifar() and cifar_traits() of cifar_files.hpp.
Dataset read_cifar10(const std::filesystem::path& path);
DatasetTraits cifar10_traits(const std::filesystem::path& path);

}  // namespace lockstep::trainer
