#include "trainer/network/gradient_sums.hpp"

#include <algorithm>
#include <bit>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

GradientSums::GradientSums(std::span<const SubtreeGradient> subtrees, const Parameters& parameters,
                           const TensorRange& trained, const TensorRange& constant,
                           std::deque<Buffer>& buffers)
    : subtrees_(subtrees),
      parameters_(parameters),
      first_(trained.first),
      first_constant_(constant.first),
      tensors_(parameters.trainable_ranges(trained.first, trained.floats)),
      unread_(trained.floats > 0 || constant.floats == 0
                  ? nullptr
                  : &buffers.emplace_back(Buffer::Size::of_all(constant.floats))) {
    std::size_t depth = 1;
    for (std::size_t s = 0; s < subtrees.size(); ++s) {
        const auto count = static_cast<std::size_t>(subtrees[s].shards.count);
        for (std::size_t j = 0; j < count; ++j) {
            places_.push_back({s, j, j + 1 == count});
            depth = std::max(depth, static_cast<std::size_t>(std::popcount(j)) + 1);
        }
    }
    for (std::size_t i = 1; trained.floats > 0 && i < depth; ++i)
        scratch_.push_back(&buffers.emplace_back(Buffer::Size::of_all(trained.floats)));
}

float* GradientSums::sum_at(std::size_t subtree, std::size_t depth) const {
    return depth == 0 ? subtrees_[subtree].gradient + first_ : scratch_[depth - 1]->data();
}

std::vector<Buffer*> GradientSums::buffers() const {
    std::vector<Buffer*> all = scratch_;
    if (unread_ != nullptr) all.push_back(unread_);
    return all;
}

float* GradientSums::of(std::size_t tensor, std::size_t shard) const {
    if (!parameters_.is_trained(tensor))
        return unread_->data() + (parameters_.offset(tensor) - first_constant_);
    const Place& place = places_[shard];
    return sum_at(place.subtree, static_cast<std::size_t>(std::popcount(place.index))) +
           (parameters_.offset(tensor) - first_);
}

void GradientSums::carry(std::size_t shard) const {
    const Place& place = places_[shard];
    const auto waiting = static_cast<std::size_t>(std::popcount(place.index));
    const auto carries =
        place.is_last ? waiting : static_cast<std::size_t>(std::countr_one(place.index));
    for (std::size_t depth = waiting; depth > waiting - carries; --depth)
        for (const Parameters::Range& tensor : tensors_)
            add_to(sum_at(place.subtree, depth - 1) + (tensor.first - first_),
                   sum_at(place.subtree, depth) + (tensor.first - first_), tensor.count);
}

}  // namespace lockstep::trainer
