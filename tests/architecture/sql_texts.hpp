#pragma once

// Finds SQL that a program puts together at run time: what a user wrote must reach SQLite as a
// bound value, never as a piece of a statement.

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::tests {

// A place where a text is handed to SQLite.
struct SqlCall {
    std::string file;      // relative to the root
    int line = 0;          // from 1
    std::string callee;    // "exec", "Statement", ...
    std::string argument;  // the SQL: each literal shortened to "", no white space
};

// All of them in a source text. Definitions of functions that take SQL are none.
std::vector<SqlCall> sql_calls(const std::string& file, const std::string& source);

// Those of the rooms pipeline, reports and storage below `root`, in a fixed order.
std::vector<SqlCall> read_sql_calls(const std::filesystem::path& root);

// A sentence for each call whose SQL is neither made of literals and constants (kName) nor in the
// list of exceptions in sql_texts.cpp.
std::vector<std::string> built_statements(const std::vector<SqlCall>& calls);

// A sentence for each exception that no call needs any more.
std::vector<std::string> idle_exceptions(const std::vector<SqlCall>& calls);

// A sentence for each LIKE or GLOB in the literals of a source text whose pattern is a bound value
// and that names no ESCAPE: "%" and "_" of a user would mean more than themselves.
std::vector<std::string> unescaped_patterns(const std::string& file, const std::string& source);

}  // namespace lockstep::tests
