#pragma once

// Inside trainer/data only: the binary files of CIFAR-10 and CIFAR-100 [1], rows of records: one or
// two bytes of labels, then 3,072 pixels as planes of red, green and blue, each row-major 32 x 32.
// Any whole number of records is read.
//
// [1] A. Krizhevsky: Learning multiple layers of features from tiny images. 2009.
//     https://www.cs.toronto.edu/~kriz/cifar.html

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {

struct CifarFormat {
    std::string word;   // cifar10
    std::string title;  // CIFAR-10
    std::vector<std::string> training_files;
    std::vector<std::string> test_files;
    std::string folder;         // of the unpacked archive
    std::size_t label_bytes{};  // before a record's pixels
    std::size_t label_place{};  // which of them is the label
    std::string names_file;
    std::vector<std::string> class_names;  // where no names_file is taken
    std::string names_in_words;            // "CIFAR-10's ten"
    std::int64_t training_samples{};       // of the official files
    std::int64_t test_samples{};
    std::string expected;  // "data_batch_1.bin to data_batch_5.bin and test_batch.bin"
    std::string source;    // where the files are to be had, in words
};

// Reads both splits. `path` is the folder of the files or one above it: its sub-folder
// format.folder, or the only sub-folder that holds any of the files. Class names, and with them the
// number of classes, come from the file of names (class_names.hpp); where there is none, or it is
// not taken, they are format.class_names.
// Throws DataError
//   missing   if files are not there or not readable; says what was expected, what is there and
//             where the official archive is
//   damaged   if a length is no multiple of a record or more than memory holds, or a label has no
//             name
//   unreadable   if the disk reports an error
Dataset read_cifar(const CifarFormat& format, const std::filesystem::path& path);
// Throws as read_cifar() does where files are missing; nothing is read.
void require_cifar(const CifarFormat& format, const std::filesystem::path& path);

// As far as it is known without reading images: names from their file, and the numbers of samples
// from the files' lengths; where files are missing or damaged they are the official ones.
// Throws DataError (unreadable) if the disk reports an error.
DatasetTraits cifar_traits(const CifarFormat& format, const std::filesystem::path& path);
DatasetTraits official_cifar_traits(const CifarFormat& format);

}  // namespace lockstep::trainer
