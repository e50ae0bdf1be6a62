#pragma once

namespace lockstep::reports {

// How a table is printed (`--format`).
enum class TableFormat {
    table,  // aligned columns for people
    csv,    // RFC 4180
    json,   // an array of objects, numbers as numbers
    md,     // Markdown
};

}  // namespace lockstep::reports
