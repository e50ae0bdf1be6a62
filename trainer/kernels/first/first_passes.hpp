#pragma once

// Which passes of a convolution of few channels our kernels (first_convolution.hpp) take.

#include "trainer/kernels/convolution_shape.hpp"
#include "trainer/kernels/first/first_convolution.hpp"

namespace lockstep::trainer {

// The others are oneDNN's. Backward data always is ours: oneDNN has no kernel for few channels.
struct FirstPasses {
    bool forward = true;
    bool weights = true;
};

// As the kernels want to know it; whether they compute it is another question.
FirstConvolutionShape first_convolution_shape(const ConvolutionShape& shape);

// Those that our kernels are faster at than oneDNN's: a function of the shape and the instruction
// set alone (docs/performance.md).
FirstPasses faster_passes(const FirstConvolutionShape& shape);

}  // namespace lockstep::trainer
