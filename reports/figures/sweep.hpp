#pragma once

// Runs that differ in settings, as an experiment with factors (docs/report.md). Computes; prints
// nothing.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/figures/effects.hpp"
#include "reports/figures/leaderboard.hpp"
#include "reports/figures/run_figures.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

struct SettingName {
    std::string key;   // full
    std::string name;  // shown
};

// The key of the one setting that stands for all layers where runs have other ones.
inline constexpr const char* kNetworkKey = "layers";

struct Follower {
    SettingName name;
    std::vector<storage::Cell> values{};  // [all runs]; empty where a run has no such setting
};

struct SweptSetting {
    SettingName name;
    std::vector<Follower> followers{};    // change only with it, so cannot be told from it
    std::vector<storage::Cell> values{};  // [all runs]; empty where a run has no such setting
    // What the analysed runs have: nothing, then numbers ascending, then texts.
    std::vector<storage::Cell> levels{};
    Factor factor{};            // [analysed runs] of `levels`
    bool is_numeric = false;    // every level that is one is a number
    bool is_geometric = false;  // for a logarithmic axis: > 0, and over a factor of 8 or more
};

struct AnalysedRun {
    std::size_t run = 0;    // its place among all runs
    std::size_t entry = 0;  // its place on the leaderboard
};

struct Sweep {
    // Those that the analysed runs differ in, the one that tells most of the spread first.
    std::vector<SweptSetting> settings;
    // Those in which only other runs differ: one value among the analysed ones, or none.
    std::vector<SweptSetting> others;

    // Finished runs with a test accuracy on the test set of the leaderboard's first entry, each
    // training once; in the order of all runs.
    std::vector<AnalysedRun> runs;
    std::vector<double> accuracies;  // [analysed runs], on the test set
    TestSet test_set;
    std::size_t unfinished = 0;       // runs not analysed for want of a result
    std::size_t other_test_sets = 0;  // runs finished on other images

    std::optional<Effects> effects{};  // of `settings`, in their order; none without runs
};

// `keys`: the settings that differ between all runs, but for layers of several networks
// (differing_settings()). Those that cannot change a result are left out.
Sweep sweep_of(const std::vector<RunFigures>& runs, const std::vector<ArchitectureFigures>& entries,
               std::span<const SettingName> keys);

// Whether its effects answer a question of their own: which of several settings mattered. Of one
// setting that is what the pairs of architectures are tested for; and where every combination of
// values was trained once and main effects take all that differs, nothing is left to estimate by.
bool tells_effects(const Sweep& sweep);

// Whether the runs differ in their networks and in nothing that can be told from that: it is the
// architectures that are compared, and their figures stand on the leaderboard.
bool compares_networks(const Sweep& sweep);

// Two settings, by their places, and how much of the spread lies between their pairs of values.
struct SettingPair {
    std::size_t first = 0;
    std::size_t second = 0;
    double share = 0.0;
};
// All pairs, those that tell most first.
std::vector<SettingPair> setting_pairs(const Sweep& sweep);

}  // namespace lockstep::reports
