#include "trainer/layers/merge.hpp"

#include <algorithm>
#include <utility>

#include "trainer/kernels/elementwise.hpp"
#include "trainer/layers/broadcast_merge.hpp"

namespace lockstep::trainer {

namespace {

// Floats of each shard, of a value of `sample_size`.
std::vector<std::size_t> floats_of(const PassBuilder& pass, std::size_t sample_size) {
    std::vector<std::size_t> floats;
    for (const SampleRange& shard : pass.shards())
        floats.push_back(static_cast<std::size_t>(shard.count) * sample_size);
    return floats;
}

std::vector<Buffer*> sources_of(const PassBuilder& pass, std::size_t count) {
    std::vector<Buffer*> sources;
    for (std::size_t i = 0; i < count; ++i) sources.push_back(&pass.src(i));
    return sources;
}

}  // namespace

// ---- add ---------------------------------------------------------------------------------------

void Add::bind(PassBuilder& pass) const {
    const std::vector<std::size_t> floats = floats_of(pass, src().sample_size());
    const std::vector<Buffer*> sources = sources_of(pass, this->sources());
    pass.forward({.what = "add",
                  .extent = Extent::shard,
                  .reads = sources,
                  .writes = {&pass.dst()},
                  .run = [sources, floats, has_relu = has_relu_, &dst = pass.dst()](
                             const StepContext&, std::size_t shard) {
                      float* sum = dst.of_shard(shard);
                      const float* first = sources[0]->of_shard(shard);
                      for (std::size_t i = 1; i < sources.size(); ++i)
                          add_forward(std::exchange(first, sum), sources[i]->of_shard(shard),
                                      has_relu && i + 1 == sources.size(), sum, floats[shard]);
                  }});
    // Where the layer behind has masked the gradient, dst is not wanted any more.
    Buffer* mask = has_relu_ && !pass.is_diff_dst_masked() ? &pass.dst() : nullptr;
    std::vector<Buffer*> reads{&pass.diff_dst()};
    if (mask != nullptr) reads.push_back(mask);
    for (std::size_t i = 0; i < sources.size() && pass.is_training(); ++i) {
        if (pass.diff_src(i) == nullptr) continue;
        pass.backward(
            {.what = "add",
             .extent = Extent::shard,
             .reads = reads,
             .writes = {pass.diff_src(i)},
             .may_overwrite = &pass.diff_dst(),
             .run = [floats, mask, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(i)](
                        const StepContext&, std::size_t shard) {
                 relu_gradient(mask == nullptr ? nullptr : mask->of_shard(shard),
                               diff_dst.of_shard(shard), diff_src.of_shard(shard), floats[shard]);
             }});
    }
}

// ---- multiply ----------------------------------------------------------------------------------

void Multiply::bind(PassBuilder& pass) const {
    const std::vector<std::size_t> floats = floats_of(pass, src().sample_size());
    const std::vector<Buffer*> sources = sources_of(pass, this->sources());
    pass.forward(
        {.what = "multiply",
         .extent = Extent::shard,
         .reads = sources,
         .writes = {&pass.dst()},
         .run = [sources, floats, &dst = pass.dst()](const StepContext&, std::size_t shard) {
             float* product = dst.of_shard(shard);
             const float* first = sources[0]->of_shard(shard);
             for (std::size_t i = 1; i < sources.size(); ++i)
                 multiply(std::exchange(first, product), sources[i]->of_shard(shard), product,
                          floats[shard]);
         }});
    for (std::size_t i = 0; i < sources.size() && pass.is_training(); ++i) {
        if (pass.diff_src(i) == nullptr) continue;
        std::vector<Buffer*> others = sources;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
        std::vector<Buffer*> reads = others;
        reads.push_back(&pass.diff_dst());
        pass.backward(
            {.what = "multiply",
             .extent = Extent::shard,
             .reads = std::move(reads),
             .writes = {pass.diff_src(i)},
             .run = [others, floats, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(i)](
                        const StepContext&, std::size_t shard) {
                 const float* factor = diff_dst.of_shard(shard);
                 for (const Buffer* other : others)
                     multiply(std::exchange(factor, diff_src.of_shard(shard)),
                              other->of_shard(shard), diff_src.of_shard(shard), floats[shard]);
             }});
    }
}

// ---- concatenate -------------------------------------------------------------------------------

Concatenate::Concatenate(std::vector<Layout> sources, Layout dst)
    : Layer(std::move(sources), std::move(dst)) {
    int channel = 0;
    for (std::size_t i = 0; i < this->sources(); channel += src(i++).channels)
        pieces_.push_back(pieces_of(i, channel));
}

// Whole blocks of all pixels where the channels in front fill whole blocks, else what a pixel has
// of a block in both.
std::vector<Concatenate::Piece> Concatenate::pieces_of(std::size_t source,
                                                       int first_channel) const {
    const Layout& from = src(source);
    const int block = dst().block, offset = first_channel % block;
    std::vector<Piece> pieces;
    const auto add = [&](int h, int w, int channel, int count) {
        const std::size_t at = from.position(h, w, channel);
        const std::size_t to = dst().position(h, w, first_channel + channel);
        const auto floats = static_cast<std::size_t>(count);
        const bool follows = !pieces.empty() && pieces.back().src + pieces.back().floats == at &&
                             pieces.back().dst + pieces.back().floats == to;
        if (follows)
            pieces.back().floats += floats;
        else
            pieces.push_back({at, to, floats});
    };
    for (int channel = 0; channel < from.channels;) {
        const int left_in_src = from.block - channel % from.block;
        const int left_in_dst = block - (offset + channel) % block;
        const int count = std::min({from.channels - channel, left_in_src, left_in_dst});
        for (int h = 0; h < from.height; ++h)
            for (int w = 0; w < from.width; ++w) add(h, w, channel, count);
        channel += count;
    }
    return pieces;
}

namespace {

// What is copied piece by piece leaves padding as it was.
void clear_where_padded(const Layout& layout, float* values, int samples) {
    if (layout.padded_channels() != layout.channels)
        std::fill_n(values, static_cast<std::size_t>(samples) * layout.sample_size(), 0.0F);
}

}  // namespace

void Concatenate::copy(std::span<const Piece> pieces, const Side& from, const float* src,
                       const Side& to, float* dst, int samples) {
    for (int n = 0; n < samples; ++n) {
        for (const Piece& piece : pieces)
            std::copy_n(src + piece.*from.place, piece.floats, dst + piece.*to.place);
        src += from.layout.sample_size();
        dst += to.layout.sample_size();
    }
}

void Concatenate::bind(PassBuilder& pass) const {
    const std::vector<Buffer*> sources = sources_of(pass, this->sources());
    pass.forward({.what = "concatenate",
                  .extent = Extent::shard,
                  .reads = sources,
                  .writes = {&pass.dst()},
                  .run = [this, sources, &dst = pass.dst(), shards = pass.shards()](
                             const StepContext&, std::size_t shard) {
                      const int samples = shards[shard].count;
                      clear_where_padded(this->dst(), dst.of_shard(shard), samples);
                      for (std::size_t i = 0; i < sources.size(); ++i)
                          copy(pieces_[i], src_side(i), sources[i]->of_shard(shard), dst_side(),
                               dst.of_shard(shard), samples);
                  }});
    for (std::size_t i = 0; i < sources.size() && pass.is_training(); ++i) {
        if (pass.diff_src(i) == nullptr) continue;
        pass.backward({.what = "concatenate",
                       .extent = Extent::shard,
                       .reads = {&pass.diff_dst()},
                       .writes = {pass.diff_src(i)},
                       .run = [this, i, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(i),
                               shards = pass.shards()](const StepContext&, std::size_t shard) {
                           const int samples = shards[shard].count;
                           clear_where_padded(src(i), diff_src.of_shard(shard), samples);
                           copy(pieces_[i], dst_side(), diff_dst.of_shard(shard), src_side(i),
                                diff_src.of_shard(shard), samples);
                       }});
    }
}

// ---- how sources must lie ----------------------------------------------------------------------

namespace {

bool are_vectors(std::span<const Layout> sources) {
    return std::ranges::all_of(sources, [](const Layout& source) { return source.pixels() == 1; });
}

Shape image_of(const Layout& layout) {
    return {layout.height, layout.width, layout.channels, false};
}

// Vectors without padding. A flatten names how many features its image had in memory.
Layout plain_vector(const Layout& source) {
    const int features = source.feature_positions
                             ? static_cast<int>(source.feature_positions->size())
                             : source.channels;
    return interleaved({1, 1, features, true});
}

// Of images: the block of channels that a convolution made, since the network's input lies as its
// first layer wants it.
int block_of(std::span<const Layout> sources) {
    const auto of_vectors = std::ranges::find_if(sources, [](const Layout& source) {
        return source.block > 1 && source.block != source.channels;
    });
    return of_vectors == sources.end() ? sources.front().block : of_vectors->block;
}

std::vector<Layout> mergeable(std::span<const Layout> sources) {
    const bool has_vectors = are_vectors(sources);
    const int block = block_of(sources);
    std::vector<Layout> layouts;
    for (const Layout& source : sources)
        layouts.push_back(has_vectors ? plain_vector(source) : blocked(image_of(source), block));
    return layouts;
}

std::unique_ptr<Layer> make_concatenate(std::span<const Layout> sources) {
    std::vector<Layout> src = mergeable(sources);
    int channels = 0;
    for (const Layout& source : src) channels += source.channels;
    Layout dst = src.front();
    dst.channels = channels;
    if (are_vectors(sources)) dst.block = channels;
    return std::make_unique<Concatenate>(std::move(src), std::move(dst));
}

}  // namespace

std::unique_ptr<Layer> make_merge(MergeKind kind, std::span<const Layout> sources) {
    if (kind == MergeKind::concatenate) return make_concatenate(sources);
    std::vector<Layout> layouts = mergeable(sources);
    const Layout layout = layouts.front();
    const auto has_other_size = [&](const Layout& other) {
        return other.pixels() != layout.pixels();
    };
    if (std::ranges::any_of(layouts, has_other_size))
        return std::make_unique<BroadcastMerge>(kind, std::move(layouts));
    if (kind == MergeKind::add) return std::make_unique<Add>(layout, sources.size());
    return std::make_unique<Multiply>(layout, sources.size());
}

std::unique_ptr<Layer> make_add_relu(std::span<const Layout> sources) {
    return std::make_unique<Add>(mergeable(sources).front(), sources.size(), true);
}

}  // namespace lockstep::trainer
