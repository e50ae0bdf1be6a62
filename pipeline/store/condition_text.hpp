#pragma once

// A user's condition over columns and settings, as SQL that SQLite can answer over a table of them.

#include <string>
#include <string_view>
#include <vector>

#include "reports/tables/setting_columns.hpp"

namespace lockstep::pipeline {

// The full name of what a user means; what means nothing stays as it is, and is refused later.
//   option   "--where", for the message
// Throws UsageError for an end that several keys have.
std::string meant(const reports::SettingsTable& settings, std::string_view option,
                  const std::string& text);

struct Condition {
    std::string sql{};                   // every setting in it is a quoted column
    std::vector<std::string> columns{};  // that it is about: full names, each once
};

// A word, or a quoted name, may be the end of a setting's key. Settings that are true or false are
// truth values: `not shuffle`, `nesterov = true`, and as tables show them, `nesterov = 'true'`.
// Throws UsageError as meant(), and for a dotted word that is no run's setting.
Condition condition_of(const reports::SettingsTable& settings, const std::string& where);

}  // namespace lockstep::pipeline
