#include "trainer/layers/broadcast_merge.hpp"

#include <algorithm>
#include <utility>

#include "trainer/kernels/broadcast.hpp"
#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

namespace {

const Layout& largest(const std::vector<Layout>& sources) {
    return *std::ranges::max_element(sources, {}, &Layout::pixels);
}

// But for source number `without`.
std::vector<const Buffer*> buffers_of(const PassBuilder& pass,
                                      const std::vector<std::size_t>& sources,
                                      std::size_t without) {
    std::vector<const Buffer*> buffers;
    for (const std::size_t source : sources)
        if (source != without) buffers.push_back(&pass.src(source));
    return buffers;
}

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

}  // namespace

BroadcastMerge::BroadcastMerge(MergeKind kind, std::vector<Layout> sources)
    : Layer(sources, largest(sources)), is_product_(kind == MergeKind::multiply) {
    for (std::size_t i = 0; i < sources.size(); ++i)
        (sources[i].pixels() == 1 ? pixels_ : images_).push_back(i);
}

void BroadcastMerge::combine(const float* first, const Sources& images, const Sources& pixels,
                             float* dst, int samples, std::size_t shard) const {
    const std::size_t floats = static_cast<std::size_t>(samples) * this->dst().sample_size();
    for (const Buffer* image : images) {
        const float* so_far = std::exchange(first, dst);
        if (is_product_)
            multiply(so_far, image->of_shard(shard), dst, floats);
        else
            add_forward(so_far, image->of_shard(shard), false, dst, floats);
    }
    const auto with_pixel = is_product_ ? &multiply_by_pixel : &add_pixel;
    for (const Buffer* pixel : pixels)
        with_pixel(this->dst(), std::exchange(first, dst), pixel->of_shard(shard), dst, samples);
}

void BroadcastMerge::bind(PassBuilder& pass) const {
    std::vector<Buffer*> reads;
    for (std::size_t i = 0; i < sources(); ++i) reads.push_back(&pass.src(i));
    pass.forward({.what = is_product_ ? "multiply" : "add",
                  .extent = Extent::shard,
                  .reads = reads,
                  .writes = {&pass.dst()},
                  .run = [this, &first = pass.src(images_.front()),
                          images = buffers_of(pass, images_, images_.front()),
                          pixels = buffers_of(pass, pixels_, kNone), &dst = pass.dst(),
                          shards = pass.shards()](const StepContext&, std::size_t i) {
                      combine(first.of_shard(i), images, pixels, dst.of_shard(i), shards[i].count,
                              i);
                  }});
    for (std::size_t i = 0; i < sources() && pass.is_training(); ++i)
        if (pass.diff_src(i) != nullptr) add_backward(pass, i);
}

// The gradient of an image is diff_dst times the other factors; that of a pixel their sum over all
// pixels.
void BroadcastMerge::add_backward(PassBuilder& pass, std::size_t source) const {
    const bool is_pixel = src(source).pixels() == 1;
    Buffer &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(source);
    Sources images, pixels;
    const Buffer* last = nullptr;  // the factor with which pixels are added up
    if (is_product_) {
        images = buffers_of(pass, images_, source);
        pixels = buffers_of(pass, pixels_, source);
        if (is_pixel) last = std::exchange(images.back(), nullptr), images.pop_back();
    }
    const bool needs_product = is_pixel && !(images.empty() && pixels.empty());
    Buffer* product =
        needs_product ? &pass.scratch(Buffer::Size::of_samples(dst().sample_size())) : nullptr;
    std::vector<Buffer*> reads{&diff_dst}, writes{&diff_src};
    for (std::size_t i = 0; i < sources() && is_product_; ++i)
        if (i != source) reads.push_back(&pass.src(i));
    if (product != nullptr) writes.push_back(product);
    pass.backward(
        {.what = is_product_ ? "multiply" : "add",
         .extent = Extent::shard,
         .reads = std::move(reads),
         .writes = std::move(writes),
         .may_overwrite = is_pixel ? nullptr : &diff_dst,
         .run = [=, this, &diff_dst, &diff_src, shards = pass.shards()](const StepContext&,
                                                                        std::size_t i) {
             const int samples = shards[i].count;
             float* to = is_pixel ? nullptr : diff_src.of_shard(i);
             if (product != nullptr) to = product->of_shard(i);
             const float* factors = diff_dst.of_shard(i);
             if (!images.empty() || !pixels.empty())
                 combine(factors, images, pixels, to, samples, i), factors = to;
             if (is_pixel)
                 sum_over_pixels(dst(), factors, last == nullptr ? nullptr : last->of_shard(i),
                                 diff_src.of_shard(i), samples);
             else if (factors != to)
                 std::copy_n(factors, static_cast<std::size_t>(samples) * dst().sample_size(), to);
         }});
}

}  // namespace lockstep::trainer
