#pragma once

// The parameters of one network, in two flat arenas: what is trained, and what is not, moving
// statistics and the weights of frozen layers. Inside, tensors lie as the kernels read them;
// outside, as Keras writes them.
//
// One flat arena lets the optimizer, the exchange and the digest run over everything in one pass.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/parameter_format.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::trainer {

class Parameters {
public:
    // Declares a tensor; order is Keras' get_weights. Returns its number.
    std::size_t add(const std::string& layer, const ParameterShape& shape,
                    std::unique_ptr<ParameterFormat> format);
    // Of what is declared so far.
    std::size_t trainable_size() const { return trainable_size_; }
    std::size_t constant_size() const { return constants_size_; }
    // Makes the arenas, zeroed, once all tensors are declared.
    void allocate();
    // Moves what is trained, with its values, to memory that outlives its use: the exchange's,
    // which other ranks may share. Kernels that took a pointer from data() before point to the old
    // place.
    //   memory   as long as trainable(), 64-byte aligned
    void move_trainable_to(std::span<float> memory);

    std::span<float> trainable() { return trainable_; }
    std::span<const float> trainable() const { return trainable_; }
    std::span<float> constants() { return constants_.span(); }  // what is not trained
    std::span<const float> constants() const { return constants_.span(); }
    float* data(std::size_t tensor);
    bool is_trained(std::size_t tensor) const { return tensors_[tensor].shape.is_trainable; }
    // Where a trainable tensor stands in trainable() and in every gradient; any other one in its
    // own arena.
    std::size_t offset(std::size_t tensor) const { return tensors_[tensor].offset; }
    std::size_t size(std::size_t tensor) const { return tensors_[tensor].format->size(); }

    // The tensors in [first, first + count) of trainable(), without the gaps that fill up cache
    // lines between them.
    struct Range {
        std::size_t first = 0;
        std::size_t count = 0;
    };
    std::vector<Range> trainable_ranges(std::size_t first, std::size_t count) const;

    // What is trained, tensor by tensor, in the order of the arena.
    struct TrainableTensor {
        std::string layer, name;
        std::size_t first = 0, count = 0;  // in trainable(); padding inside of it included
        std::vector<std::int64_t> shape;   // Keras'
        std::size_t number = 0;
    };
    std::vector<TrainableTensor> trainable_tensors() const;
    // Where the values of a tensor, in Keras' order, stand in its arena, counted from offset().
    std::vector<std::uint32_t> positions(std::size_t tensor) const;

    NamedTensors weights() const { return unpack(trainable_, constants_.span()); }
    // Throws WeightsError, before anything is changed, if tensors do not match one by one in order
    // and shape, or a value is not finite. Names of layers may differ, as in Keras.
    void set_weights(const NamedTensors& weights) { pack(weights, trainable_, constants_.span()); }
    // The same of other arrays, as long as trainable() and constants().
    NamedTensors unpack(std::span<const float> trainable, std::span<const float> constants) const;
    void pack(const NamedTensors& weights, std::span<float> trainable,
              std::span<float> constants) const;

    // An array as long as trainable(), such as an optimizer's slot, as Keras' tensors and back.
    NamedTensors unpack_trainable(std::span<const float> arena) const;
    void pack_trainable(const NamedTensors& tensors, std::span<float> arena) const;

    // The first weight or statistic that is NaN or infinite, as non_finite_value() says it; the
    // same of an array as long as trainable(). Empty where all are finite.
    std::string non_finite_weight() const;
    std::string non_finite_trainable(std::span<const float> arena) const;

    std::string digest() const;  // SHA-256, hex, of both arenas

private:
    struct Tensor {
        std::string layer;
        ParameterShape shape;
        std::unique_ptr<ParameterFormat> format;
        std::size_t offset;
    };
    NamedTensor unpacked(const Tensor& tensor, std::span<const float> arena) const;
    std::vector<const Tensor*> tensors(bool trainable_only) const;

    std::vector<Tensor> tensors_;
    std::size_t trainable_size_ = 0;
    std::size_t constants_size_ = 0;
    AlignedArray<float> own_trainable_;  // until it is moved
    std::span<float> trainable_;
    AlignedArray<float> constants_;
};

}  // namespace lockstep::trainer
