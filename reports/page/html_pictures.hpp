#pragma once

// Images inside a report's page: every image of a test set once, in one PNG, shown by reference.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// Collects images of one size, each kept once.
class ImageAtlas {
public:
    explicit ImageAtlas(std::string id) : id_(std::move(id)) {}

    // The place of a sheet's image. All sheets of an atlas have images of one size; an image of
    // another size than the first one's throws std::invalid_argument.
    std::size_t place_of(const ImageSheet& sheet, std::size_t image);

    // A hidden <svg> that holds the PNG; "" without images. Stands once in the page.
    std::string definition() const;
    // An <svg role="img"> of one image, described in words.
    std::string picture(std::size_t place, std::string_view description) const;

private:
    std::size_t image_bytes() const;

    std::string id_;
    int height_ = 0;
    int width_ = 0;
    std::vector<std::uint8_t> images_;  // [images, height, width, 3]
    std::vector<std::string> digests_;  // [images]
};

// The filters of a convolution over red, green and blue, or over one channel, as small pictures in
// one <img>: each filter stretched from its least to its greatest weight. "" for other kernels.
//   kernel   [kernel height, kernel width, in, out]
std::string filters_picture(const storage::NamedArray& kernel);

}  // namespace lockstep::reports
