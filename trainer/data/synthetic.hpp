#pragma once

// The built-in data set: ten learnable classes of 32 x 32 colour images, drawn from a seed.
//
// An image shows a striped figure at a random place, of random size, tilt, hue and contrast, before
// a shaded background with a faint grating and the pale figure of another class, in changing light
// and noise. No single cue gives the class away; two together do:
//
//   shape     disc, square, triangle, ring or cross: two classes each        label / 2
//   stripes   level in even classes, upright in odd ones                     label % 2
//   hue       one of five; in 60 % of the images that of its two classes,    label % 5
//             else any of the five
//
// Hue with stripes is quick to learn and right in about two images of three; what is left takes the
// shape, wherever it is. docs/data.md shows what networks reach.
//
// Every image is a pure function of (seed, split, index), the same bits on every machine: counted
// random numbers, and no arithmetic but that which IEEE 754 rounds correctly (+ - * / and roots).
// The number of images changes none of them.

#include <cstdint>
#include <span>

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::trainer {

DatasetKind synthetic_kind();  // settings: training_samples, test_samples, seed

enum class SyntheticSplit : std::uint32_t { training = 0, test = 1 };

// Draws one image into `pixels`, bytes [3, 32, 32], and returns its label. Each ten images in a
// row, from a multiple of ten, have all ten labels, in random order.
std::uint8_t draw_synthetic_image(std::uint64_t seed, SyntheticSplit split, std::uint32_t index,
                                  std::span<std::uint8_t> pixels);

// Both splits. The class names are CIFAR-10's, so that experiments which
// choose classes by name run on either.
// Throws DataError (bad_request) unless both numbers of samples are in 1..2^32-1.
Dataset make_synthetic(std::int64_t training_samples, std::int64_t test_samples,
                       std::uint64_t seed);

}  // namespace lockstep::trainer
