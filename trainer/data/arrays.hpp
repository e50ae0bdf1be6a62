#pragma once

// Data sets as arrays of NumPy's or HDF5's, named as Keras' mnist.npz has them: x_train, x_test,
// bytes [samples, height, width, channels] or [samples, height, width]; y_train and y_test, whole
// numbers [samples] or [samples, 1], which are labels from 0. Classes are named by their numbers.

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::trainer {

// Without settings; data.path is the file (array_file.hpp).
// Loading throws DataError
//   missing      if there is no such file, or an array is not in it
//   damaged      if the file is, an array has another type or shape, or a label is negative or
//                over 65,534
//   unreadable   if the disk reports an error
// Traits read the labels, and throw likewise.
DatasetKind arrays_kind();

}  // namespace lockstep::trainer
