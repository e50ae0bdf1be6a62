#include "pipeline/ranks/agreement.hpp"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"

namespace lockstep::pipeline {
namespace {

// "70 message" and back; an empty text stands for no error.
std::string packed(const std::exception_ptr& error) {
    if (error == nullptr) return {};
    const Failure failure = failure_of(error);
    return std::to_string(failure.exit_code()) + " " + failure.what();
}

AgreedFailure unpacked(std::string_view text) {
    const std::size_t space = text.find(' ');
    int exit_code = kExitInternal;
    std::from_chars(text.data(), text.data() + space, exit_code);
    return {exit_code, std::string(text.substr(space + 1))};
}

}  // namespace

void agree_on_errors(const trainer::Communicator& comm, const std::exception_ptr& error) {
    for (const std::string& text : comm.gather_texts(packed(error))) {
        if (!text.empty()) throw unpacked(text);
    }
}

}  // namespace lockstep::pipeline
