// The PNM family [1]: P2 and P5 are grey, P3 and P6 colour; P2 and P3 are text, P5 and P6 binary.
//
// [1] https://netpbm.sourceforge.net/doc/ppm.html, pgm.html

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "trainer/data/image_decoders.hpp"

namespace lockstep::trainer {

namespace {

constexpr int kMostValue = 65535;

bool is_space(std::uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');  // tab, line feed, ..., carriage return
}

class Reader {
public:
    Reader(FileBytes bytes, const std::string& origin) : rest_(bytes), origin_(origin) {}

    // A decimal number behind white space and comments, up to `most`.
    int number(std::int64_t most) {
        skip_space();
        std::int64_t value = 0;
        std::size_t digits = 0;
        for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
            value = value * 10 + (rest_[digits] - '0');
            if (value > most) fail(fmt::format("a number above {}", most));
        }
        if (digits == 0) fail("a number is missing");
        rest_ = rest_.subspan(digits);
        return static_cast<int>(value);
    }

    // One byte or two, the higher one first.
    int binary(int bytes) {
        if (rest_.size() < static_cast<std::size_t>(bytes)) fail("the file ends too early");
        const int value = bytes == 1 ? rest_[0] : rest_[0] * 256 + rest_[1];
        rest_ = rest_.subspan(static_cast<std::size_t>(bytes));
        return value;
    }

    void skip(std::size_t bytes) {
        if (rest_.size() < bytes) fail("the file ends too early");
        rest_ = rest_.subspan(bytes);
    }
    std::size_t left() const { return rest_.size(); }
    [[noreturn]] void fail(const std::string& what) const {
        throw_damaged(origin_, "damaged PPM: " + what);
    }

private:
    void skip_space() {
        while (!rest_.empty() && (is_space(rest_[0]) || rest_[0] == '#')) {
            if (rest_[0] != '#') {
                rest_ = rest_.subspan(1);
                continue;
            }
            while (!rest_.empty() && rest_[0] != '\n') rest_ = rest_.subspan(1);
        }
    }

    FileBytes rest_;
    const std::string& origin_;
};

}  // namespace

Image decode_pnm(FileBytes bytes, const std::string& origin) {
    Reader reader(bytes, origin);
    const int format = bytes[1] - '0';
    const bool is_binary = format >= 5;
    const int channels = format == 3 || format == 6 ? 3 : 1;
    reader.skip(2);
    const int width = reader.number(INT32_MAX);
    const int height = reader.number(INT32_MAX);
    check_size(height, width, origin);
    const int most = reader.number(kMostValue);
    if (most == 0) reader.fail("the maximal value is 0");
    if (is_binary) reader.skip(1);  // one white space
    const int value_bytes = most > 255 ? 2 : 1;
    // Of text, a value takes a digit at least. Known before anything is allocated.
    const double needed = 1.0 * width * height * channels * (is_binary ? value_bytes : 1);
    if (static_cast<double>(reader.left()) < needed) reader.fail("the file ends too early");

    Image image = blank_image(height, width, origin);
    const auto next = [&] {
        const int value = is_binary ? reader.binary(value_bytes) : reader.number(most);
        if (value > most) reader.fail("a value above the maximal one");
        return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
    };
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
        const std::uint8_t first = next();
        image.pixels[i] = first;
        image.pixels[i + 1] = channels == 3 ? next() : first;
        image.pixels[i + 2] = channels == 3 ? next() : first;
    }
    return image;
}

}  // namespace lockstep::trainer
