#include "reports/tables/keras_csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

namespace lockstep::reports {
namespace {

using storage::EpochRow;

constexpr const char* kNone = "NA";
constexpr const char* kLineEnd = "\r\n";

// Both print the shortest digits that read back as the same number, and an exponent from 1e16 on
// and below 1e-4.
std::string python_text(double value) {
    if (std::isnan(value)) return "nan";
    std::string text = fmt::format("{}", value);
    const bool is_whole = text.find_first_not_of("-0123456789") == std::string::npos;
    return is_whole ? text + ".0" : text;
}

std::string text_of(const std::optional<double>& value) {
    return value ? python_text(*value) : kNone;
}

// Keras sorts the names of what it has in the first epoch, and without validation puts each behind
// once more, with val_ before it.
std::vector<std::string> columns_of(const EpochRow& first, bool has_learning_rate) {
    const bool validates = first.validation_count > 0;
    std::vector<std::string> names{"accuracy", "loss"};
    if (has_learning_rate) names.emplace_back("learning_rate");
    if (validates) names.insert(names.end(), {"val_accuracy", "val_loss"});
    if (first.val_top_5_accuracy) names.emplace_back("val_top_5_accuracy");
    std::ranges::sort(names);
    if (validates) return names;
    for (std::size_t i = 0, own = names.size(); i < own; ++i) names.push_back("val_" + names[i]);
    return names;
}

std::string cell_of(const EpochRow& row, std::string_view column) {
    if (column == "accuracy") return python_text(row.accuracy);
    if (column == "loss") return python_text(row.loss);
    if (column == "learning_rate") return python_text(row.learning_rate);
    if (column == "val_accuracy") return text_of(row.val_accuracy);
    if (column == "val_loss") return text_of(row.val_loss);
    if (column == "val_top_5_accuracy") return text_of(row.val_top_5_accuracy);
    return kNone;
}

}  // namespace

std::string keras_csv(std::span<const EpochRow> epochs, bool has_learning_rate) {
    if (epochs.empty()) return {};  // Keras opens the file, and writes its header with the first
    const std::vector<std::string> columns = columns_of(epochs.front(), has_learning_rate);
    std::string text = fmt::format("epoch,{}{}", fmt::join(columns, ","), kLineEnd);
    for (const EpochRow& row : epochs) {
        text += std::to_string(row.epoch - 1);
        for (const std::string& column : columns) text.append(",").append(cell_of(row, column));
        text += kLineEnd;
    }
    return text;
}

}  // namespace lockstep::reports
