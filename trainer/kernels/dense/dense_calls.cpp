#include "trainer/kernels/dense/dense_calls.hpp"

#include <cstddef>

#include "trainer/kernels/onednn.hpp"

namespace lockstep::trainer {

DenseCalls::DenseCalls(const DenseFormat& format, ComputeEngine& engine,
                       const LinearBuffers& buffers, std::span<const SampleRange> shards)
    : format_(format), engine_(engine), buffers_(buffers), shards_(shards.begin(), shards.end()) {
    for (const SampleRange& shard : shards) samples_ += shard.count;
    const DenseKernel& kernel = format.kernel();
    const std::size_t gathered = static_cast<std::size_t>(samples_) * kernel.panels().diff_step();
    engine.onednn().workspace.reserve((gathered + kernel.scratch_floats()) * sizeof(float));
}

void DenseCalls::forward() {
    format_.kernel().forward(buffers_.src, buffers_.weights, buffers_.bias, format_.has_relu(),
                             buffers_.dst, samples_);
}

float* DenseCalls::gather_diff() {
    float* diff = engine_.onednn().workspace.floats();
    format_.kernel().gather_diff(buffers_.diff_dst, nullptr, diff, samples_);
    return diff;
}

void DenseCalls::backward_data() {
    if (buffers_.diff_src == nullptr || samples_ == 0) return;
    float* diff = gather_diff();
    float* scratch =
        diff + static_cast<std::size_t>(samples_) * format_.kernel().panels().diff_step();
    format_.kernel().backward_data(diff, buffers_.weights, buffers_.diff_src, samples_, scratch);
}

void DenseCalls::backward_weights() {
    if (buffers_.diff_weights.empty()) return;
    const float* diff = gather_diff();
    const auto features = static_cast<std::size_t>(format_.features());
    for (std::size_t i = 0; i < buffers_.diff_weights.size(); ++i) {
        const auto first = static_cast<std::size_t>(shards_[i].first);
        format_.kernel().backward_weights(
            {.src = buffers_.src + first * features,
             .diff = diff + first * format_.kernel().panels().diff_step()},
            shards_[i].count, buffers_.diff_weights[i], buffers_.diff_bias[i]);
    }
}

}  // namespace lockstep::trainer
