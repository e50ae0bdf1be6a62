#include "trainer/data/node_dataset.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::trainer {
namespace {

// What travels of a split; the pixels stay where they are.
struct SplitHeader {
    std::uint64_t samples = 0;
    std::uint64_t pixel_bytes = 0;
    MemoryFile::Address pixels;
};

SplitHeader header_of(const ImageSet& images) {
    return {images.labels.size(), images.pixels.size(), images.pixels.address()};
}

template <class Value>
Value broadcast_value(const Communicator& node, Value value) {
    node.broadcast(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

// Fills `images`; false if its pixels cannot be reached.
bool receive_split(const Communicator& node, const SplitHeader& header, ImageSet& images) {
    images.labels.resize(header.samples);
    node.broadcast(std::as_writable_bytes(std::span(images.labels)));
    if (node.is_root()) return header.pixels.descriptor >= 0;
    std::optional<PixelArray> pixels = PixelArray::at(header.pixels, header.pixel_bytes);
    if (pixels) images.pixels = std::move(*pixels);
    return pixels.has_value();
}

std::vector<std::string> broadcast_texts(const Communicator& node,
                                         const std::vector<std::string>& texts) {
    std::vector<std::string> received(broadcast_value(node, texts.size()));
    for (std::size_t i = 0; i < received.size(); ++i)
        received[i] = node.broadcast_text(node.is_root() ? texts[i] : std::string());
    return received;
}

}  // namespace

std::shared_ptr<const Dataset> share_dataset(const Communicator& node,
                                             std::shared_ptr<const Dataset> loaded) {
    if (node.size() == 1) return loaded;
    auto copy = std::make_shared<Dataset>();
    if (node.is_root()) *copy = *loaded;
    copy->name = node.broadcast_text(copy->name);
    copy->shape = broadcast_value(node, copy->shape);
    copy->class_names = broadcast_texts(node, copy->class_names);
    copy->digest = node.broadcast_text(copy->digest);
    const SplitHeader training = broadcast_value(node, header_of(copy->training));
    const SplitHeader test = broadcast_value(node, header_of(copy->test));
    const bool has_training = receive_split(node, training, copy->training);
    const bool has_test = receive_split(node, test, copy->test);
    // Rank 0 has its files open until all have answered.
    const bool is_shared = node.all_agree(has_training && has_test);
    if (node.is_root()) return loaded;
    return is_shared ? copy : nullptr;
}

}  // namespace lockstep::trainer
