#pragma once

#include <string>

#include "reports/tables/table_format.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// One long table, printed piece by piece: the pieces' texts and end() together are what
// table_text() makes of all rows at once. For CSV and JSON; the other formats have to know all rows
// before the first.
class TableStream {
public:
    // Throws std::invalid_argument for another format.
    explicit TableStream(TableFormat format);

    std::string text(const storage::Table& piece);  // all pieces have the same columns
    std::string end();

private:
    TableFormat format_;
    bool is_header_out_ = false;  // csv
    bool has_rows_ = false;       // json
};

// For spreadsheets, which take text that begins with = + - @ (a tab, a carriage return, a line
// feed) for a formula: such cells get a ' in front. Numbers stay.
storage::Table without_formulas(storage::Table table);

}  // namespace lockstep::reports
