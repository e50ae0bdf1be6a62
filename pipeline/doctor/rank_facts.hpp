#pragma once

// What must be the same on all ranks of a job, and where it is not.

#include <span>
#include <string>

#include "pipeline/doctor/diagnosis.hpp"

namespace lockstep::pipeline {

struct RankFacts {
    std::string host;
    std::string lockstep;  // version
    std::string program;   // SHA-256 of its file
    std::string isa;       // of oneDNN
    std::string simd;      // of Highway
    std::string onednn;    // version
    std::string mpi;       // version
    std::string data;      // digest of the data; "" not read
    std::string cpus;      // the affinity mask, as a list
    double clock = 0.0;    // seconds since 1970, when all were asked
};

// A text for the gather of texts, and back.
std::string packed(const RankFacts& facts);
RankFacts unpacked_facts(const std::string& text);

// Compares all with rank 0; names the ranks and hosts that differ. Ranks of one host whose masks
// together have fewer hardware threads than there are ranks are named too.
// A pure function.
Diagnoses compare_ranks(std::span<const RankFacts> ranks);

}  // namespace lockstep::pipeline
