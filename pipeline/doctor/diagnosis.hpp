#pragma once

// One line of `doctor`: what was looked at, how it stands, and what to do.

#include <string>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::pipeline {

enum class Health { ok, warning, problem };

struct Diagnosis {
    Health health = Health::ok;
    std::string check;     // "memory"
    std::string found;     // "2.1 GB of 8.0 GB"
    std::string advice{};  // "" where nothing is to be done
};

using Diagnoses = std::vector<Diagnosis>;

// health, check, found, advice
storage::Table diagnosis_table(const Diagnoses& diagnoses);
bool has_problem(const Diagnoses& diagnoses);

// "512 MB", "2.1 GB": powers of ten.
std::string bytes_text(double bytes);

}  // namespace lockstep::pipeline
