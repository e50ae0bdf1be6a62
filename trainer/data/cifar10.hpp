#pragma once

// CIFAR-10 in its binary format [1]: data_batch_1.bin ... data_batch_5.bin and test_batch.bin, each
// a row of records of 3,073 bytes: a label (from 0) and 3,072 pixels, as planes of red, green and
// blue, each row-major 32 x 32. The official files hold 10,000 records each; any whole number of
// records is read. docs/data.md says more.
//
// [1] A. Krizhevsky: Learning multiple layers of features from tiny images. 2009.
//     https://www.cs.toronto.edu/~kriz/cifar.html

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {

// The ten names in label order: airplane, automobile, bird, cat, deer, dog, frog, horse, ship,
// truck.
std::vector<std::string> cifar10_class_names();

// Reads both splits. `path` is the folder of the files or one above it:
// its sub-folder cifar-10-batches-bin, or the only sub-folder that holds any of the files. Class
// names, and with them the number of classes, come from batches.meta.txt (class_names.hpp); where
// there is none, or it is not taken, they are CIFAR-10's ten.
// Throws DataError
//   missing   if files are not there or not readable; says what was expected, what is there and
//             where the official archive is
//   damaged   if a length is no multiple of a record or more than memory holds, or a label has no
//             name
//   unreadable   if the disk reports an error
Dataset read_cifar10(const std::filesystem::path& path);
// Throws as read_cifar10() does where files are missing; nothing is read.
void require_cifar10(const std::filesystem::path& path);

// As far as it is known without reading images: names from batches.meta.txt, and the numbers of
// samples from the files' lengths; where files are missing or damaged they are the official ones
// (50,000 and 10,000). Throws DataError (unreadable) if the disk reports an error.
DatasetTraits cifar10_traits(const std::filesystem::path& path);
DatasetTraits official_cifar10_traits();

}  // namespace lockstep::trainer
