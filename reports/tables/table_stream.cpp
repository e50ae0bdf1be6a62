#include "reports/tables/table_stream.hpp"

#include <stdexcept>
#include <string_view>
#include <variant>

#include "reports/tables/table_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::string_view kArrayBegin = "[\n";
constexpr std::string_view kArrayEnd = "\n]\n";

}  // namespace

TableStream::TableStream(TableFormat format) : format_(format) {
    if (format == TableFormat::csv || format == TableFormat::json) return;
    throw std::invalid_argument("only CSV and JSON can be printed piece by piece");
}

std::string TableStream::text(const storage::Table& piece) {
    std::string text = table_text(piece, format_);
    if (format_ == TableFormat::csv) {
        if (is_header_out_) text.erase(0, text.find('\n') + 1);
        is_header_out_ = true;
        return text;
    }
    if (piece.rows.empty()) return {};
    text.erase(text.size() - kArrayEnd.size());
    text.erase(0, kArrayBegin.size());
    const std::string_view before = has_rows_ ? ",\n" : kArrayBegin;
    has_rows_ = true;
    return std::string(before) + text;
}

std::string TableStream::end() {
    if (format_ == TableFormat::csv) return {};
    return has_rows_ ? std::string(kArrayEnd) : "[]\n";
}

storage::Table without_formulas(storage::Table table) {
    for (auto& row : table.rows) {
        for (storage::Cell& cell : row) {
            auto* text = std::get_if<std::string>(&cell);
            if (text == nullptr || text->empty()) continue;
            const bool is_formula =
                std::string_view("=+-@\t\r\n").find(text->front()) != std::string_view::npos;
            if (is_formula) text->insert(text->begin(), '\'');
        }
    }
    return table;
}

}  // namespace lockstep::reports
