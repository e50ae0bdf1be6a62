#pragma once

// MNIST [1], Fashion-MNIST [2] and what else comes as their four IDX files:
//
//   {train,t10k}-images-idx3-ubyte   0x00000803, images, rows, columns; then a byte a pixel
//   {train,t10k}-labels-idx1-ubyte   0x00000801, labels; then a byte each
//
// each as it is or packed by gzip (.gz); the numbers are of 32 bits, big-endian. docs/data.md says
// where they are looked for.
//
// [1] Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits. 1998.
// [2] H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine
//     learning algorithms. arXiv:1708.07747

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::trainer {

// Without settings. Images are [rows, columns, 1]; labels 0 to 9 have the standard names.
// Loading throws DataError
//   missing      if a file is not there; says what is expected, what is there and where it is to be
//                had
//   damaged      if a magic number, a count or a length is wrong, a packed file is cut off or fails
//                its check sum, images and labels are not equally many, both splits not of one
//                size, or a label has no name
//   unreadable   if the disk reports an error
DatasetKind mnist_kind();
DatasetKind fashion_mnist_kind();

}  // namespace lockstep::trainer
