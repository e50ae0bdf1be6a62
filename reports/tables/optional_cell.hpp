#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <variant>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// A figure as a cell of a table; one that is not there as an empty cell.
template <class Value>
storage::Cell cell(const std::optional<Value>& value) {
    if (!value) return std::monostate{};
    if constexpr (std::is_integral_v<Value>)
        return std::int64_t{*value};
    else
        return *value;
}

}  // namespace lockstep::reports
