#pragma once

// Memory for kernels: aligned to cache lines, zeroed, of fixed length.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lockstep::trainer {

inline constexpr std::size_t kAlignment = 64;  // bytes: a cache line, an AVX-512 vector
inline constexpr std::size_t kAlignedFloats = kAlignment / sizeof(float);

// Rounds a number of floats up to whole cache lines.
constexpr std::size_t round_up_to_line(std::size_t floats) {
    return (floats + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
}

template <class T>
class AlignedArray {
public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t size);  // zeroed; throws std::bad_alloc

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    std::span<T> span() { return {data_.get(), size_}; }
    std::span<const T> span() const { return {data_.get(), size_}; }
    T& operator[](std::size_t i) { return data_.get()[i]; }
    const T& operator[](std::size_t i) const { return data_.get()[i]; }

private:
    struct Free {
        void operator()(T* data) const;
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

extern template class AlignedArray<float>;
extern template class AlignedArray<unsigned char>;
extern template class AlignedArray<std::uint16_t>;

}  // namespace lockstep::trainer
