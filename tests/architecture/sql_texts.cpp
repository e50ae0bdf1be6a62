#include "tests/architecture/sql_texts.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string_view>

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::array kRooms{"pipeline", "reports", "storage"};

// Statements of several pieces. Each is made of constants of the source alone, unless its line says
// what else guards it. A new one is a decision: bind the value instead, where it can be one.
struct Exception {
    std::string_view file;
    std::string_view argument;
};
constexpr std::array kExceptions{
    // Tables, columns and numbers out of lists of constants.
    Exception{"storage/database/run_database_views.cpp", R"(create+view.name+""+view.select)"},
    Exception{"storage/database/run_database_schema.cpp", R"(""+std::to_string(kSchemaVersion))"},
    Exception{"storage/database/run_database_views.cpp", R"(std::string("")+view.name)"},
    Exception{"storage/database/run_database_schema.cpp", R"(""+totals_of_all())"},
    Exception{"storage/database/run_database_schema.cpp",
              R"(""+missing_run_columns(version_of(db))+"")"},
    Exception{"storage/database/run_database_schema.cpp", R"(""+std::string(kTotals)+"")"},
    Exception{"storage/database/run_database_reading.cpp", "sql.c_str()"},
    Exception{"storage/database/database_check.cpp", R"(fmt::format("",kMostDamage))"},
    Exception{"storage/database/database_check.cpp", R"(fmt::format("",table))"},
    Exception{"storage/database/database_check.cpp", R"(fmt::format("",table,order))"},
    Exception{"storage/database/database_check.cpp", "insert_of(table,select)"},
    Exception{"pipeline/verbs/export_datasette.cpp", R"(fmt::format("",table.table))"},
    // The helpers that every other call goes through: their callers are looked at.
    Exception{"storage/database/database_connection.hpp", "sql"},
    Exception{"storage/database/row_reader.hpp", "sql"},
    // A user's own SQL, under QueryGuard, on a copy in memory.
    Exception{"pipeline/verbs/query.cpp", "options.sql"},
    Exception{"storage/database/run_database_query.cpp", "text"},
    // `--where` under QueryGuard, over a table in memory; names of columns are quoted.
    Exception{"storage/database/row_selection.cpp",
              R"(fmt::format("",name,fmt::join(columns,"")))"},
    Exception{"storage/database/row_selection.cpp", R"(fmt::format("",name,fmt::join(places,"")))"},
    Exception{"storage/database/row_selection.cpp", R"(fmt::format("",where,name))"},
    Exception{"storage/database/row_selection.cpp", R"(fmt::format("",before,where,name))"},
    Exception{"storage/database/row_selection.cpp", "selecting_sql(table,table_name,selection)"},
    Exception{"storage/database/query_guard.cpp", "sql.c_str()"},
};

// What takes SQL, and which of its arguments that is.
struct Callee {
    const char* pattern;  // up to the bracket; the first group is the name
    std::size_t place;
};
constexpr std::array kCallees{
    Callee{R"((?:\.|->)(exec|tryExec|execAndGet|run_query)\s*\()", 0},
    Callee{R"(\b(Statement)\s*(?:\w+\s*)?[({])", 1},
    Callee{R"(\b(execute|select|select_runs)\s*\()", 1},
    Callee{R"(\b(sqlite3_exec|sqlite3_prepare\w*)\s*\()", 1},
};

// ---- C++ with every literal shortened to "" and every comment to blanks; lines stay -------------

// The end of the literal that begins at `at` with a quote; `is_raw`: R"delimiter(...)delimiter".
std::size_t end_of_literal(const std::string& source, std::size_t at, bool is_raw) {
    if (is_raw) {
        const std::size_t open = source.find('(', at);
        const std::string close = ")" + source.substr(at + 1, open - at - 1) + "\"";
        return source.find(close, open) + close.size();
    }
    const char quote = source[at];
    std::size_t end = at + 1;
    while (end < source.size() && source[end] != quote) end += source[end] == '\\' ? 2 : 1;
    return end + 1;
}

struct Stripped {
    std::string code;                   // of the same lines
    std::vector<std::string> literals;  // with their quotes
    std::vector<int> lines;             // where each begins
};

class Stripper {
public:
    explicit Stripper(const std::string& source) : source_(source) {}

    Stripped strip() {
        while (at_ < source_.size()) {
            if (source_.compare(at_, 2, "//") == 0) {
                blank(source_.find('\n', at_));
            } else if (source_.compare(at_, 2, "/*") == 0) {
                blank(source_.find("*/", at_) + 2);
            } else if (source_[at_] == '"') {
                literal(false);
            } else if (source_.compare(at_, 2, "R\"") == 0 && !is_in_word()) {
                ++at_;
                literal(true);
            } else if (source_[at_] == '\'' && !is_in_word()) {  // not the ' of 1'000
                at_ = end_of_literal(source_, at_, false);
                result_.code += "''";
            } else {
                result_.code += source_[at_++];
            }
        }
        return std::move(result_);
    }

private:
    bool is_in_word() const {
        return at_ > 0 && std::isalnum(static_cast<unsigned char>(source_[at_ - 1])) != 0;
    }
    void keep_lines(std::size_t end) {
        end = std::min(end, source_.size());
        const auto from = source_.begin() + static_cast<std::ptrdiff_t>(at_);
        const auto to = source_.begin() + static_cast<std::ptrdiff_t>(end);
        result_.code.append(static_cast<std::size_t>(std::count(from, to, '\n')), '\n');
        at_ = end;
    }
    void blank(std::size_t end) { keep_lines(end); }
    void literal(bool is_raw) {
        const std::size_t end = end_of_literal(source_, at_, is_raw);
        result_.lines.push_back(
            1 + static_cast<int>(std::count(result_.code.begin(), result_.code.end(), '\n')));
        result_.literals.push_back(source_.substr(at_, end - at_));
        result_.code += "\"\"";
        keep_lines(end);
    }

    const std::string& source_;
    std::size_t at_ = 0;
    Stripped result_;
};

// ---- calls -------------------------------------------------------------------------------------

// The arguments of a call whose bracket opens before `at`, without white space; neighbouring
// literals are one.
std::vector<std::string> arguments_of(const std::string& code, std::size_t at) {
    std::vector<std::string> arguments(1);
    int depth = 1;
    for (; at < code.size(); ++at) {
        const char c = code[at];
        if (c == '(' || c == '{' || c == '[') ++depth;
        if (c == ')' || c == '}' || c == ']') --depth;
        if (depth == 0) break;
        if (c == ',' && depth == 1) {
            arguments.emplace_back();
        } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
            arguments.back() += c;
        }
    }
    for (std::string& argument : arguments) {
        for (std::size_t pair; (pair = argument.find("\"\"\"\"")) != std::string::npos;)
            argument.erase(pair, 2);
    }
    return arguments;
}

// `const char* sql` and its like: parameters, not arguments.
bool is_definition(const std::vector<std::string>& arguments) {
    return std::ranges::any_of(arguments, [](const std::string& argument) {
        return argument.starts_with("constchar*") || argument.starts_with("std::string_view") ||
               argument.starts_with("conststd::string&") ||
               argument.starts_with("SQLite::Database&");
    });
}

bool is_constant(const std::string& argument) {
    static const std::regex kConstant(R"re((""|k[A-Z]\w*))re");
    return std::regex_match(argument, kConstant);
}

std::string text_of(const fs::path& path) {
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(stream), {}};
}

bool is_excepted(const SqlCall& call) {
    return std::ranges::any_of(kExceptions, [&](const Exception& each) {
        return each.file == call.file && each.argument == call.argument;
    });
}

}  // namespace

std::vector<SqlCall> sql_calls(const std::string& file, const std::string& source) {
    const std::string code = Stripper(source).strip().code;
    std::vector<SqlCall> calls;
    for (const Callee& callee : kCallees) {
        const std::regex pattern(callee.pattern);
        for (std::sregex_iterator match(code.begin(), code.end(), pattern), end; match != end;
             ++match) {
            const auto at = static_cast<std::size_t>(match->position() + match->length());
            const std::vector<std::string> arguments = arguments_of(code, at);
            if (arguments.size() <= callee.place || arguments[callee.place].empty()) continue;
            if (is_definition(arguments)) continue;
            const auto here = code.begin() + match->position();
            calls.push_back({file, 1 + static_cast<int>(std::count(code.begin(), here, '\n')),
                             match->str(1), arguments[callee.place]});
        }
    }
    return calls;
}

std::vector<SqlCall> read_sql_calls(const fs::path& root) {
    std::vector<fs::path> paths;
    for (const char* room : kRooms) {
        for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
            const fs::path extension = entry.path().extension();
            if (extension == ".cpp" || extension == ".hpp") paths.push_back(entry.path());
        }
    }
    std::ranges::sort(paths);
    std::vector<SqlCall> calls;
    for (const fs::path& path : paths) {
        const auto found = sql_calls(path.lexically_relative(root).generic_string(), text_of(path));
        calls.insert(calls.end(), found.begin(), found.end());
    }
    return calls;
}

std::vector<std::string> built_statements(const std::vector<SqlCall>& calls) {
    std::vector<std::string> problems;
    for (const SqlCall& call : calls) {
        if (is_constant(call.argument) || is_excepted(call)) continue;
        problems.push_back(call.file + ":" + std::to_string(call.line) + ": the SQL of " +
                           call.callee + "() is no literal: " + call.argument);
    }
    return problems;
}

std::vector<std::string> idle_exceptions(const std::vector<SqlCall>& calls) {
    std::vector<std::string> idle;
    for (const Exception& each : kExceptions) {
        const bool is_needed = std::ranges::any_of(calls, [&](const SqlCall& call) {
            return each.file == call.file && each.argument == call.argument;
        });
        if (!is_needed)
            idle.push_back(std::string(each.file) + " has no " + std::string(each.argument));
    }
    return idle;
}

std::vector<std::string> unescaped_patterns(const std::string& file, const std::string& source) {
    static const std::regex kPattern(R"(\b(LIKE|GLOB)\s+[?:@$])", std::regex::icase);
    static const std::regex kEscape(R"(\bESCAPE\b)", std::regex::icase);
    const Stripped stripped = Stripper(source).strip();
    std::vector<std::string> problems;
    for (std::size_t i = 0; i < stripped.literals.size(); ++i) {
        const std::string& text = stripped.literals[i];
        if (!std::regex_search(text, kPattern) || std::regex_search(text, kEscape)) continue;
        problems.push_back(file + ":" + std::to_string(stripped.lines[i]) +
                           ": a bound pattern without ESCAPE");
    }
    return problems;
}

}  // namespace lockstep::tests
