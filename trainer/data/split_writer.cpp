#include "trainer/data/split_writer.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace lockstep::trainer {

Sha256 begin_digest(std::int64_t training_samples, std::int64_t test_samples, const Shape& shape) {
    Sha256 digest;
    const std::string header = fmt::format("images {} {} {} {} {}\n", training_samples,
                                           test_samples, shape.channels, shape.height, shape.width);
    digest.update(std::as_bytes(std::span(header)));
    return digest;
}

SplitWriter::SplitWriter(std::int64_t samples, const Shape& shape, std::size_t classes,
                         Sha256& digest)
    : pixels_(static_cast<std::size_t>(samples * shape.size())),
      classes_(classes),
      digest_(digest) {
    labels_.reserve(static_cast<std::size_t>(samples));
}

void SplitWriter::append(std::span<const std::uint8_t> pixels, std::span<const Label> labels) {
    pixels_.append(pixels);
    digest_.update(std::as_bytes(pixels));
    labels_.insert(labels_.end(), labels.begin(), labels.end());
}

// A byte each, or two, the lower one first.
void SplitWriter::digest_labels() {
    std::vector<std::uint8_t> bytes;
    for (const Label label : labels_) {
        bytes.push_back(static_cast<std::uint8_t>(label & 255));
        if (classes_ > 256) bytes.push_back(static_cast<std::uint8_t>(label >> 8));
    }
    digest_.update(std::as_bytes(std::span(bytes)));
}

ImageSet SplitWriter::finish() && {
    digest_labels();
    return {std::move(pixels_).finish(), std::move(labels_)};
}

}  // namespace lockstep::trainer
