#pragma once

// Shapes of the layers that slide a kernel over an image, or change its size: what
// layer_shapes.cpp asks for the convolutions.

#include <array>

#include "trainer/config/architecture.hpp"
#include "trainer/config/layer_shapes.hpp"

namespace lockstep::trainer {

struct Windows {
    Window vertical;
    Window horizontal;
};

// Windows of a pool or a kernel, whose pixels are dilation_rate apart. Throws Misfit where they do
// not fit, with `what` in its words.
Windows windows_over(const Shape& input, const std::array<int, 2>& size,
                     const std::array<int, 2>& strides, Padding padding, const char* what,
                     const std::array<int, 2>& dilation_rate = {1, 1});

// Throws Misfit unless the input is an image.
void require_image(const Shape& input);

// As infer_layer(), one kind each.
void infer(const Conv2dConfig& config, LayerShape& layer);
void infer(const DepthwiseConv2dConfig& config, LayerShape& layer);
void infer(const SeparableConv2dConfig& config, LayerShape& layer);
void infer(const ZeroPadding2dConfig& config, LayerShape& layer);
void infer(const UpSampling2dConfig& config, LayerShape& layer);

}  // namespace lockstep::trainer
