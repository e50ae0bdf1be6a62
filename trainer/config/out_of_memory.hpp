#pragma once

#include <cstddef>
#include <new>
#include <string>
#include <string_view>

namespace lockstep::trainer {

// The system has no more memory for this process. what() says how much was wanted, and for what.
class OutOfMemory : public std::bad_alloc {
public:
    // bytes: 0 where that is not known
    explicit OutOfMemory(std::size_t bytes, std::string_view purpose = {})
        : bytes_(bytes), is_named_(!purpose.empty()), text_("out of memory") {
        if (bytes > 0) text_ += ": " + std::to_string(bytes) + " bytes more";
        if (is_named_) text_.append(" for ").append(purpose);
        if (bytes > 0) text_ += " are not to be had";
    }
    std::size_t bytes() const { return bytes_; }
    bool is_named() const { return is_named_; }
    const char* what() const noexcept override { return text_.c_str(); }

private:
    std::size_t bytes_;
    bool is_named_;
    std::string text_;
};

// What `make` returns; if there is no memory for it, the error says that this was it.
//   purpose   in words: "the weights"
//   bytes     of all of it, told where the array that was refused is not known; 0: nor is this
template <class Make>
auto in_memory_for(std::string_view purpose, std::size_t bytes, Make&& make) {
    try {
        return make();
    } catch (const OutOfMemory& error) {
        if (error.is_named()) throw;
        throw OutOfMemory(error.bytes(), purpose);
    } catch (const std::bad_alloc&) {
        throw OutOfMemory(bytes, purpose);
    }
}

}  // namespace lockstep::trainer
