#pragma once

// Image files in memory, written by libpng and libjpeg, for the tests of the decoders.

#include <cstddef>
#include <cstdint>
#include <string>
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

// A chunk with its length and checksum, and a file with one more in front of its first `before`.
FileContent png_chunk(const std::string& type, const FileContent& content);
FileContent with_png_chunk(FileContent file, const FileContent& chunk, const std::string& before);
// Where the chunk begins, with its length.
std::size_t png_chunk_place(const FileContent& file, const std::string& type);

// How the components lie in a JPEG: in one scan, each in its own, or in steps of precision.
enum class JpegScans { interleaved, separate, progressive };

// Quality 100, without chroma subsampling. channels: 1 grey, 3 rgb, 4 CMYK.
FileContent jpeg_file(int width, int height, int channels, const FileContent& pixels,
                      JpegScans scans = JpegScans::interleaved);

// A segment with its length, and a file with one more behind its first two bytes.
FileContent jpeg_segment(std::uint8_t marker, const FileContent& content);
FileContent with_jpeg_segment(FileContent file, const FileContent& segment);
FileContent without_jpeg_segment(FileContent file, std::uint8_t marker);
// Where the first such segment begins, with its 0xff.
std::size_t jpeg_segment_place(const FileContent& file, std::uint8_t marker);

enum class ByteOrder { little, big };
// Exif data that ask for one of the orientations 1 to 8.
FileContent exif_block(ByteOrder order, std::uint16_t orientation);
// The same as a JPEG's segment.
FileContent exif_segment(const FileContent& block);

}  // namespace lockstep::tests
