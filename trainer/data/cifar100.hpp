#pragma once

// CIFAR-100 in its binary format (cifar_files.hpp): train.bin and test.bin, records of 3,074 bytes:
// the label of the superclass (of 20), that of the class (of 100), the pixels.

#include <string>
#include <vector>

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::trainer {

// Setting label_mode, as keras.datasets.cifar100.load_data() calls it: "fine", the 100 classes, or
// "coarse", the 20 superclasses. Names come from fine_label_names.txt or coarse_label_names.txt,
// else they are the standard ones.
DatasetKind cifar100_kind();

std::vector<std::string> cifar100_fine_names();
std::vector<std::string> cifar100_coarse_names();

}  // namespace lockstep::trainer
