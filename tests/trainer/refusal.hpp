#pragma once

// What a reader of data refuses, and in which words.

#include <string>

#include "tests/support/catch.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::tests {

struct Refusal {
    trainer::DataError::Kind kind{};
    std::string message;

    bool says(const std::string& words) const { return message.find(words) != std::string::npos; }
};

// The DataError that `read` throws; a failed test if it throws none.
template <typename Read>
Refusal refusal_by(Read read) {
    try {
        read();
    } catch (const trainer::DataError& error) {
        return {error.kind(), error.what()};
    }
    FAIL("no DataError");
    return {};
}

inline Refusal refusal_of(const trainer::DataConfig& config) {
    return refusal_by([&config] { trainer::load_dataset(config); });
}

}  // namespace lockstep::tests
