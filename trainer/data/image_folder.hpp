#pragma once

// Folders of image files (image_file.hpp), a sub-folder a class, as Keras'
// image_dataset_from_directory and torchvision's ImageFolder take them:
//
//   PATH/train/<class>/*, PATH/test/<class>/*     two splits; or, with test_fraction,
//   PATH/<class>/*                                one, of which a part becomes the test split
//
// Classes are the sub-folders, sorted bytewise, but those whose names begin with a dot; the files
// of a class, in its sub-folders too, are sorted likewise. docs/data.md says more.

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::trainer {

// Settings, by Keras' names: image_size, interpolation, crop_to_aspect_ratio, color_mode; and
// test_fraction (0: folders train and test) with the seed that draws it.
//
// Loading throws DataError
//   missing      if a folder is not there, or has no images
//   damaged      if a file is no image that can be read, the test folder has a class that the
//                training folder has not, a name of a class is not usable, or there is one class
//   unreadable   if the disk reports an error
// Traits throw likewise: without the folders nobody knows the classes.
DatasetKind image_folder_kind();

}  // namespace lockstep::trainer
