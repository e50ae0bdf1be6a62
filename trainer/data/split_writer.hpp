#pragma once

// Inside trainer/data only: how a data set comes into memory, and its digest with it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/config/shape.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/data/pixel_array.hpp"
#include "trainer/determinism/digest.hpp"

namespace lockstep::trainer {

// The digest of a data set before its splits: their sizes and the shape lead, so that bytes moved
// from one split to the other show.
Sha256 begin_digest(std::int64_t training_samples, std::int64_t test_samples, const Shape& shape);

// Writes the images of one split, a few at a time. What comes is digested at once, while it is in
// the cache.
class SplitWriter {
public:
    // `classes` decides how labels are digested: as bytes where all of them fit, which is what the
    // digests of such sets have always been.
    SplitWriter(std::int64_t samples, const Shape& shape, std::size_t classes, Sha256& digest);

    // Bytes [samples, channels, height, width] and [samples]. Throws std::bad_alloc.
    void append(std::span<const std::uint8_t> pixels, std::span<const Label> labels);
    ImageSet finish() &&;  // throws std::bad_alloc

private:
    void digest_labels();

    PixelWriter pixels_;
    std::vector<Label> labels_;
    std::size_t classes_;
    Sha256& digest_;
};

}  // namespace lockstep::trainer
