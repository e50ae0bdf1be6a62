#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::reports {

// What accuracies were measured on. Accuracies compare exactly if their test sets are equal; words
// are made of one (test_set_text.hpp), never compared.
struct TestSet {
    std::string dataset;               // cifar10, synthetic
    std::string data_digest;           // of all pixels and labels
    std::vector<std::string> classes;  // those used, in label order; empty: all
    std::int64_t images = 0;

    auto operator<=>(const TestSet&) const = default;
};

}  // namespace lockstep::reports
