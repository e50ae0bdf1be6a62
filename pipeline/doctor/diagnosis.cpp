#include "pipeline/doctor/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::pipeline {
namespace {

std::string word_for(Health health) {
    if (health == Health::ok) return "ok";
    return health == Health::warning ? "warning" : "problem";
}

}  // namespace

storage::Table diagnosis_table(const Diagnoses& diagnoses) {
    storage::Table table{{"health", "check", "found", "advice"}, {}};
    for (const Diagnosis& each : diagnoses) {
        table.rows.push_back({word_for(each.health), each.check, each.found, each.advice});
    }
    return table;
}

bool has_problem(const Diagnoses& diagnoses) {
    return std::ranges::any_of(
        diagnoses, [](const Diagnosis& each) { return each.health == Health::problem; });
}

std::string bytes_text(double bytes) {
    return bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6)
                       : fmt::format("{:.1f} GB", bytes / 1e9);
}

}  // namespace lockstep::pipeline
