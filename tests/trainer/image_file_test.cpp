#include "trainer/data/image_file.hpp"

#include <sys/stat.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/trainer/image_samples.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {
namespace {

namespace fs = std::filesystem;
using tests::FileContent;
using tests::jpeg_file;
using tests::JpegScans;
using tests::png_file;
using tests::PngColors;
using tests::TemporaryDirectory;
using Pixels = std::vector<std::uint8_t>;

Image decode(const FileContent& file) { return decode_image(file, "sample"); }
Image decode(std::string_view text) { return decode(FileContent(text.begin(), text.end())); }

template <class File>
std::optional<DataError> refusal(const File& file) {
    try {
        decode(file);
    } catch (const DataError& error) {
        return error;
    }
    return std::nullopt;
}

template <class File>
bool is_damaged(const File& file) {
    const auto error = refusal(file);
    return error && error->kind() == DataError::Kind::damaged &&
           std::string_view(error->what()).starts_with("sample: ");
}

// ---- PNG -------------------------------------------------------------------------------------

TEST_CASE("image: a PNG's bytes come back as they are, interlaced too", "[trainer]") {
    Pixels rows;
    for (int i = 0; i < 9 * 10 * 3; ++i) rows.push_back(static_cast<std::uint8_t>(i * 37));
    const bool is_interlaced = GENERATE(false, true);
    const Image image =
        decode(png_file({.width = 10, .height = 9, .is_interlaced = is_interlaced, .rows = rows}));
    CHECK(image.width == 10);
    CHECK(image.height == 9);
    CHECK(image.pixels == rows);
}

TEST_CASE("image: grey PNGs of every depth become three equal channels", "[trainer]") {
    const auto grey = [](int depth, FileContent rows) {
        return decode(png_file({.width = 2,
                                .depth = depth,
                                .colors = PngColors::grey,
                                .rows = std::move(rows)}))
            .pixels;
    };
    CHECK(grey(1, {0b01000000}) == Pixels{0, 0, 0, 255, 255, 255});
    CHECK(grey(2, {0b01100000}) == Pixels{85, 85, 85, 170, 170, 170});
    CHECK(grey(4, {0x1f}) == Pixels{17, 17, 17, 255, 255, 255});
    CHECK(grey(8, {7, 200}) == Pixels{7, 7, 7, 200, 200, 200});
}

TEST_CASE("image: 16 bits become 8 by rounding", "[trainer]") {
    for (const int value : {0, 1, 128, 129, 255, 256, 32767, 32768, 65406, 65407, 65535}) {
        CAPTURE(value);
        const FileContent rows{static_cast<std::uint8_t>(value >> 8),
                               static_cast<std::uint8_t>(value & 0xff)};
        const Image image =
            decode(png_file({.depth = 16, .colors = PngColors::grey, .rows = rows}));
        CHECK(static_cast<long>(image.pixels[0]) == std::lround(value * 255.0 / 65535.0));
    }
}

TEST_CASE("image: what is transparent is laid over white", "[trainer]") {
    const Image image =
        decode(png_file({.width = 3,
                         .colors = PngColors::rgba,
                         .rows = {10, 20, 30, 255, 10, 20, 30, 0, 100, 0, 255, 51}}));
    // The third: a fifth of the colour, four fifths of white.
    CHECK(image.pixels == Pixels{10, 20, 30, 255, 255, 255, 224, 204, 255});
    const Image grey =
        decode(png_file({.width = 1, .colors = PngColors::grey_alpha, .rows = {100, 51}}));
    CHECK(grey.pixels == Pixels{224, 224, 224});
    const Image palette = decode(png_file({.width = 2,
                                           .colors = PngColors::palette,
                                           .rows = {1, 0},
                                           .palette = {1, 2, 3, 4, 5, 6},
                                           .palette_alpha = {0}}));
    CHECK(palette.pixels == Pixels{4, 5, 6, 255, 255, 255});
}

TEST_CASE("image: a PNG that is cut off or changed is damaged", "[trainer]") {
    const FileContent file = png_file({.width = 4, .height = 4, .rows = Pixels(4 * 4 * 3, 90)});
    REQUIRE_FALSE(is_damaged(file));
    for (std::size_t length = 0; length < file.size() - 12; ++length) {  // 12: the end's mark
        CAPTURE(length);
        CHECK(is_damaged(FileContent(file.begin(), file.begin() + static_cast<long>(length))));
    }
    for (std::size_t i = 8; i < file.size() - 12; ++i) {  // a checksum stands behind each part
        FileContent changed = file;
        changed[i] ^= 0x10;
        CAPTURE(i);
        CHECK(is_damaged(changed));
    }
}

// ---- JPEG ------------------------------------------------------------------------------------

int farthest(const Pixels& a, const Pixels& b) {
    int distance = a.size() == b.size() ? 0 : 256;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        distance = std::max(distance, std::abs(int{a[i]} - int{b[i]}));
    }
    return distance;
}

TEST_CASE("image: a JPEG of best quality is the picture to a few steps", "[trainer]") {
    Pixels pixels;
    for (int y = 0; y < 11; ++y) {
        for (int x = 0; x < 17; ++x) {
            for (const int value : {10 * y, 12 * x, 255 - 10 * y}) {
                pixels.push_back(static_cast<std::uint8_t>(value));
            }
        }
    }
    const JpegScans scans =
        GENERATE(JpegScans::interleaved, JpegScans::separate, JpegScans::progressive);
    const Image image = decode(jpeg_file(17, 11, 3, pixels, scans));
    CHECK(image.width == 17);
    CHECK(image.height == 11);
    CHECK(farthest(image.pixels, pixels) <= 4);
    const Image grey = decode(jpeg_file(2, 1, 1, {70, 70}, scans));
    CHECK(farthest(grey.pixels, Pixels(6, 70)) <= 1);
}

// ---- PNM, and what is none of them -------------------------------------------------------------

TEST_CASE("image: PPM and PGM, text and binary, with comments", "[trainer]") {
    const Pixels colors{0, 128, 255, 10, 20, 30};
    CHECK(decode("P3 # two pixels\n2 1\n# the largest\n255\n0 128 255\n10 20 30").pixels == colors);
    CHECK(decode(std::string("P6\n2 1 255\n\x00\x80\xff\x0a\x14\x1e", 17)).pixels == colors);
    CHECK(decode("P2 2 1 15 0 8").pixels == Pixels{0, 0, 0, 136, 136, 136});
    CHECK(decode(std::string("P5 1 2 1\n\x00\x01", 11)).pixels == Pixels{0, 0, 0, 255, 255, 255});
    CHECK(decode(std::string("P5 1 1 65535\n\x80\x00", 15)).pixels == Pixels(3, 128));
}

TEST_CASE("image: damaged PNM files are told", "[trainer]") {
    for (const char* text :
         {"P6", "P6 2", "P6 2 2 255\nabc", "P6 0 2 255\n", "P6 -1 2 255\n",
          "P6 2 2 0\nxxxxxxxxxxxx", "P6 2 2 65536\n", "P3 1 1 255 1 2", "P3 1 1 255 1 2 256",
          "P3 1 1 255 1 2 x", "P6 99999999999999999999 1 255\n", "P3 1 1 9 1 2 #"}) {
        CAPTURE(text);
        CHECK(is_damaged(std::string_view(text)));
    }
    CHECK(is_damaged(std::string_view()));
    CHECK(is_damaged(std::string_view("GIF89a")));
    CHECK(is_damaged(std::string_view("P1 1 1 0")));
    CHECK(is_damaged(std::string_view("P")));
}

TEST_CASE("image: one of more than 100 megapixels is refused by its header alone", "[trainer]") {
    const auto names_the_size = [](const std::optional<DataError>& error) {
        return error && std::string_view(error->what()).find("100000 x 1001") != std::string::npos;
    };
    FileContent png = png_file({.width = 100'000, .height = 1001, .rows = {}});
    png.insert(png.end(), {0, 0, 0, 9, 'I', 'D', 'A', 'T'});  // its pixels would begin here
    CHECK(names_the_size(refusal(png)));
    CHECK(names_the_size(refusal(std::string_view("P6 100000 1001 255\n"))));
    FileContent jpeg = jpeg_file(8, 8, 1, Pixels(64, 0));
    for (std::size_t i = 0; i + 8 < jpeg.size(); ++i) {
        if (jpeg[i] != 0xff || jpeg[i + 1] != 0xc0) continue;
        for (std::size_t k = 5; k < 9; ++k) jpeg[i + k] = 0xf0;  // height and width: 61,680
    }
    CHECK(is_damaged(jpeg));
}

TEST_CASE("image: files are told by their content, and only regular ones are read", "[trainer]") {
    const TemporaryDirectory folder;
    const FileContent file = png_file({.rows = {1, 2, 3}});
    std::ofstream(folder / "x.jpg", std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), static_cast<long>(file.size()));
    CHECK(read_image(folder / "x.jpg").pixels == Pixels{1, 2, 3});
    const auto kind_of = [](const fs::path& path) {
        try {
            read_image(path);
        } catch (const DataError& error) {
            CHECK(std::string_view(error.what()).find(path.string()) == 0);
            return error.kind();
        }
        return DataError::Kind::bad_request;
    };
    CHECK(kind_of(folder / "none.png") == DataError::Kind::missing);
    CHECK(kind_of(folder.path()) == DataError::Kind::damaged);
    CHECK(kind_of("/dev/zero") == DataError::Kind::damaged);
    REQUIRE(::mkfifo((folder / "fifo.png").c_str(), 0600) == 0);  // nobody writes to it
    CHECK(kind_of(folder / "fifo.png") == DataError::Kind::damaged);
    fs::resize_file(folder / "x.jpg", std::uintmax_t{3} << 40);  // sparse
    CHECK(kind_of(folder / "x.jpg") == DataError::Kind::damaged);
}

// ---- samples -----------------------------------------------------------------------------------

Image grey_row(const Pixels& values) {
    Image image{1, static_cast<int>(values.size()), {}};
    for (const std::uint8_t value : values) image.pixels.insert(image.pixels.end(), 3, value);
    return image;
}

Pixels resized_row(const Pixels& values, int width) {
    Pixels planes = image_planes(grey_row(values), {.height = 1, .width = width, .channels = 3});
    planes.resize(static_cast<std::size_t>(width));
    return planes;
}

TEST_CASE("image: bilinear with half-pixel centres, as TensorFlow resizes", "[trainer]") {
    CHECK(resized_row({0, 100}, 4) == Pixels{0, 25, 75, 100});
    CHECK(resized_row({0, 100, 50, 150}, 2) == Pixels{50, 100});
    CHECK(resized_row({10, 20, 30}, 1) == Pixels{20});
    CHECK(resized_row({7}, 3) == Pixels{7, 7, 7});
    CHECK(resized_row({1, 2}, 1) == Pixels{2});  // 1.5 is rounded up
    // Without smoothing: of nine pixels the three at 1, 4 and 7.
    CHECK(resized_row({9, 1, 9, 9, 4, 9, 9, 7, 9}, 3) == Pixels{1, 4, 7});
}

TEST_CASE("image: rows and columns are resized alike", "[trainer]") {
    const Image image{2, 2, {0, 0, 0, 100, 0, 0, 100, 0, 0, 200, 0, 0}};
    const Pixels planes = image_planes(image, {.height = 4, .width = 4, .channels = 3});
    REQUIRE(planes.size() == 48);
    for (std::size_t y = 0; y < 4; ++y) {
        for (std::size_t x = 0; x < 4; ++x) {
            CHECK(planes[y * 4 + x] == planes[x * 4 + y]);
            const double at[] = {0.0, 0.25, 0.75, 1.0};
            CHECK(int{planes[y * 4 + x]} == std::lround(100 * (at[x] + at[y])));
            CHECK(planes[16 + y * 4 + x] == 0);
        }
    }
}

TEST_CASE("image: planes of the right size are the pixels themselves", "[trainer]") {
    const Image image{1, 2, {1, 2, 3, 4, 5, 6}};
    CHECK(image_planes(image, {.height = 1, .width = 2, .channels = 3}) ==
          Pixels{1, 4, 2, 5, 3, 6});
    const Image primaries{1, 4, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}};
    CHECK(image_planes(primaries, {.height = 1, .width = 4, .channels = 1}) ==
          Pixels{76, 150, 29, 255});  // BT.601
    CHECK_THROWS_AS(image_planes(image, {.height = 1, .width = 2, .channels = 2}), DataError);
}

TEST_CASE("image: a folder's images in order of bytes, its sub-folders with them", "[trainer]") {
    const TemporaryDirectory folder;
    fs::create_directories(folder / "B");
    for (const char* name : {"b.png", "B/x.JPEG", "a.PPM", "Z.pgm", "notes.txt", "png"}) {
        std::ofstream(folder / name) << "x";
    }
    fs::create_directories(folder / "folder.png");
    CHECK(image_files_in(folder.path()) == std::vector<fs::path>{folder / "B/x.JPEG",
                                                                 folder / "Z.pgm", folder / "a.PPM",
                                                                 folder / "b.png"});
    CHECK_THROWS_AS(image_files_in(folder / "none"), DataError);
}

}  // namespace
}  // namespace lockstep::trainer
