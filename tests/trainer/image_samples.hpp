#pragma once

// Image files in memory, written by libpng and libjpeg, for the tests of the decoders.

#include <cstdint>
#include <vector>

namespace lockstep::tests {

using FileContent = std::vector<std::uint8_t>;

enum class PngColors { grey, rgb, palette, grey_alpha, rgba };

struct PngSample {
    int width = 1;
    int height = 1;
    int depth = 8;  // bits a channel
    PngColors colors = PngColors::rgb;
    bool is_interlaced = false;
    FileContent rows{};     // as they lie in the file before filters; empty: the header alone
    FileContent palette{};  // rgb; with PngColors::palette
    FileContent palette_alpha{};
};
FileContent png_file(const PngSample& sample);

// Quality 100, without chroma subsampling. channels: 1 grey, 3 rgb, 4 CMYK.
FileContent jpeg_file(int width, int height, int channels, const FileContent& pixels,
                      bool is_progressive = false);

}  // namespace lockstep::tests
