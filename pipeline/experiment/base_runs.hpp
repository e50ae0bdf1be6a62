#pragma once

// The runs of a file before their sweep and seeds: what each inherits, and what a `--set` leaves of
// the sweep for it.

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/experiment/expansion.hpp"
#include "pipeline/experiment/run_names.hpp"
#include "pipeline/experiment/sweep.hpp"

namespace lockstep::pipeline {

struct BaseRun {
    std::string name;
    bool is_name_good = true;  // else one of our own, to go on looking for problems
    Origin origin;
    Table settings;                          // inherited and its own
    std::vector<const Override*> overrides;  // that concern it, in the order in which they are laid
    std::vector<const Axis*> axes;           // that are swept for it
    std::int64_t runs = 1;   // that it stands for, kManyRuns where that is beyond counting
    std::int64_t seeds = 0;  // in its list of them, 0 where it has none
    std::int64_t size = 0;   // of the settings of each, as settings_size() counts
};
inline constexpr std::int64_t kManyRuns = 1'000'000'000'000'000'000;  // 10^18

// The seeds of a run: those of `seeds`, checked; none where there is no such list.
Array seeds_in(const Table& settings, Problems& problems);

// What a table of settings takes to be read and kept: its values, long texts counting for more.
std::int64_t settings_size(const Table& table);

// Reads the runs of a file, one after the other.
class BaseRuns {
public:
    // The sweep's axes and the overrides must outlive it.
    BaseRuns(const Table& file, const std::vector<Axis>& axes,
             const std::vector<Override>& overrides, std::vector<std::string>& notes,
             RunNames& names, Problems& problems);

    // Those that are tables. Empty, and a problem, where the runs together inherit too much.
    std::vector<BaseRun> read(const Array& runs);

private:
    void inherit(const Table& file, const std::string& key);
    BaseRun read(const Value& run, const Table& table, std::size_t index);
    void take_name(BaseRun& base, const Table& table, std::size_t index);
    void take_axes(BaseRun& base);
    void refuse_missing_layers(const BaseRun& base);
    // The override that replaces what the axis sets; null if none does.
    const Override* replacing(const BaseRun& base, const Axis& axis) const;
    void count(BaseRun& base);

    const std::vector<Axis>& axes_;
    const std::vector<Override>& overrides_;
    std::vector<std::string>& notes_;
    RunNames& names_;
    Problems& problems_;
    Table defaults_;
};

}  // namespace lockstep::pipeline
