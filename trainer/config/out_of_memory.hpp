#pragma once

#include <cstddef>
#include <new>
#include <string>

namespace lockstep::trainer {

// The system has no more memory for this process. what() says how much was wanted.
class OutOfMemory : public std::bad_alloc {
public:
    explicit OutOfMemory(std::size_t bytes)
        : text_("out of memory: " + std::to_string(bytes) + " bytes more are not to be had") {}
    const char* what() const noexcept override { return text_.c_str(); }

private:
    std::string text_;
};

}  // namespace lockstep::trainer
