#pragma once

// What follows from the layers of a network without computing anything: every layer's output shape,
// its parameters and its floating-point operations. Pure functions; no oneDNN, no MPI.

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "trainer/config/shape.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::trainer {

// One tensor of a layer's parameters, in Keras' layout and under Keras' name.
struct ParameterShape {
    std::string name;  // kernel, bias, gamma, beta, moving_mean, moving_variance; of a separable
                       // convolution depthwise_kernel, pointwise_kernel
    std::vector<std::int64_t> shape;  // conv kernel [kh, kw, in / groups, out], depthwise kernel
                                      // [kh, kw, in, multiplier], dense kernel [in, out]
    bool is_trainable = true;
    InitializerConfig initializer = Initializer::zeros;
    std::int64_t size() const;
};

struct LayerShape {
    std::string name;        // the layer's own: conv2d_1
    std::string class_name;  // Keras': Conv2D, MaxPooling2D, Dense, ...
    Shape input;             // the first, of several
    Shape output;
    std::vector<ValueNumber> sources;  // what it reads,
    std::vector<Shape> inputs;         // and their shapes
    // Values of one input at most as they lie in memory: channels padded to whole blocks, also
    // those of an image that was flattened.
    std::int64_t padded_input = 0;
    std::vector<ParameterShape> parameters;  // in the order of Keras' get_weights
    std::int64_t flops =
        0;  // of the forward pass of one image: 2 per multiply-add, as Keras' tools

    std::int64_t parameter_count() const;
    std::int64_t trainable_count() const;
};

struct Architecture {
    Shape input;
    std::vector<LayerShape> layers;

    Shape output() const { return layers.empty() ? input : layers.back().output; }
    // Every layer reads the one in front of it alone.
    bool is_chain() const;
    std::int64_t parameter_count() const;
    std::int64_t trainable_count() const;
    std::int64_t flops() const;
};

// The layers do not fit on each other. what() names the layer, its input shape and the reason;
// `so_far` holds the layers before it, for the table that is shown with the message.
class ShapeError : public std::runtime_error {
public:
    ShapeError(const std::string& message, std::size_t layer_index, Architecture so_far);
    std::size_t layer_index() const { return layer_index_; }
    const Architecture& so_far() const { return so_far_; }

private:
    std::size_t layer_index_;
    Architecture so_far_;
};

// Infers all shapes from the input's.
// Throws
//   ShapeError   if a layer cannot take its inputs (a kernel or pool larger than it, a dense or
//                softmax layer before a flatten, a sum of different shapes; a flatten that is not
//                needed is allowed), if a layer in front of the last one is read by none, or if
//                the network does not end in a vector of `classes` values
Architecture infer_shapes(std::span<const LayerConfig> layers, const Shape& input, int classes);

// Zeros that Keras adds in front of an axis for `padding`, and the size of the output.
struct Window {
    int output = 0;
    int pad_before = 0;
    int pad_after = 0;
};
// Size, taps and stride of one axis, the taps `dilation_rate` pixels apart; output < 1 where they
// do not fit ("valid").
Window window_of(int size, int taps, int stride, Padding padding, int dilation_rate = 1);

}  // namespace lockstep::trainer
