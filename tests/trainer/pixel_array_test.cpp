#include "trainer/data/pixel_array.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

using namespace lockstep::trainer;

std::vector<std::uint8_t> counted(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
    return bytes;
}

PixelArray written(const std::vector<std::uint8_t>& bytes, std::size_t at_once) {
    PixelWriter writer(bytes.size());
    for (std::size_t first = 0; first < bytes.size(); first += at_once)
        writer.append(std::span(bytes).subspan(first, std::min(at_once, bytes.size() - first)));
    return std::move(writer).finish();
}

}  // namespace

TEST_CASE("pixels: what is written piece by piece is there, around the size of a page",
          "[trainer][data]") {
    for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 12289U})
        for (const std::size_t at_once : {1U, 1000U, 4096U, 20000U}) {
            CAPTURE(size, at_once);
            const std::vector<std::uint8_t> bytes = counted(size);
            CHECK(std::ranges::equal(written(bytes, at_once), bytes));
        }
}

TEST_CASE("pixels: a copy sees the same bytes and keeps them", "[trainer][data]") {
    const std::vector<std::uint8_t> bytes = counted(5000);
    for (PixelArray first : {written(bytes, 5000), PixelArray(bytes)}) {
        const PixelArray second = first;
        CHECK(second.data() == first.data());
        first = PixelArray();
        CHECK(first.size() == 0);
        CHECK(std::ranges::equal(second, bytes));
    }
}

TEST_CASE("pixels: others find them at their address, and nothing else", "[trainer][data]") {
    const std::vector<std::uint8_t> bytes = counted(5000);
    std::optional<PixelArray> pixels = written(bytes, 5000);
    const MemoryFile::Address address = pixels->address();
    REQUIRE(address.descriptor >= 0);
    const std::optional<PixelArray> found = PixelArray::at(address, bytes.size());
    REQUIRE(found);
    CHECK(found->data() != pixels->data());
    pixels.reset();
    CHECK(std::ranges::equal(*found, bytes));
    const PixelArray another = written(bytes, 5000);  // mostly at the same descriptor
    CHECK_FALSE(PixelArray::at(address, bytes.size()));
    CHECK_FALSE(PixelArray::at(PixelArray(bytes).address(), bytes.size()));
}
