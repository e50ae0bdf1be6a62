#include "reports/figures/seed_groups.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace lockstep::reports {
namespace {

using Runs = std::vector<RunFigures>;

constexpr std::size_t kShownDigits = 8;  // of a digest

bool has_read_data(const RunFigures& run) { return !run.design.data_digest.empty(); }

class Grouping {
public:
    explicit Grouping(const Runs& runs) : runs_(runs) {}

    std::vector<SeedGroup> groups() {
        for (const bool has_data : {true, false}) {
            for (std::size_t i = 0; i < runs_.size(); ++i) {
                if (has_read_data(runs_[i]) == has_data) add(i);
            }
        }
        for (SeedGroup& group : groups_) {
            std::ranges::stable_sort(group.runs, {}, [&](auto i) { return runs_[i].run.seed; });
        }
        std::ranges::stable_sort(groups_, {}, [](const SeedGroup& group) { return first(group); });
        return std::move(groups_);
    }

private:
    static std::size_t first(const SeedGroup& group) {
        std::size_t place = *std::ranges::min_element(group.runs);
        for (const RepeatedRun& repeat : group.repeats) place = std::min(place, repeat.run);
        return place;
    }

    void add(std::size_t place) {
        const RunFigures& run = runs_[place];
        std::vector<std::size_t>& known = by_settings_[{run.design_name, run.design.settings}];
        for (const std::size_t group : candidates(run, known)) {
            if (takes(groups_[group], place)) return;
        }
        known.push_back(groups_.size());
        groups_.push_back({run.design_name, run.design, run.test_set, {place}, {}});
    }

    // Groups of its settings that the run may be of.
    std::vector<std::size_t> candidates(const RunFigures& run,
                                        const std::vector<std::size_t>& known) const {
        std::vector<std::size_t> of_its_data;
        for (const std::size_t group : known) {
            const bool is_one = groups_[group].design.data_digest == run.design.data_digest;
            if (is_one) of_its_data.push_back(group);
        }
        const bool is_clear = known.size() == 1 && !has_read_data(run);
        return is_clear ? known : of_its_data;
    }

    // Puts the run into the group, unless one of its seed there is another training.
    bool takes(SeedGroup& group, std::size_t place) const {
        const auto same = std::ranges::find_if(group.runs, [&](std::size_t other) {
            return runs_[other].run.seed == runs_[place].run.seed;
        });
        if (same == group.runs.end()) {
            group.runs.push_back(place);
            return true;
        }
        if (!is_same_training(runs_[*same].run, runs_[place].run)) return false;
        const bool is_better = counts_before(runs_[place].run, runs_[*same].run);
        const std::size_t repeated = is_better ? *same : place;
        if (is_better) {
            for (RepeatedRun& repeat : group.repeats) {
                if (repeat.counted == *same) repeat.counted = place;
            }
            *same = place;
        }
        group.repeats.push_back({repeated, *same});
        return true;
    }

    const Runs& runs_;
    std::vector<SeedGroup> groups_;
    std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> by_settings_;
};

// The short hash at the end of a run's id.
std::string hash_of(const RunFigures& run) {
    const std::string& id = run.run.run;
    return id.substr(std::min(id.rfind('-'), id.size()));
}

std::string data_text(const std::string& digest) {
    return digest.empty() ? " (data not read yet)"
                          : " (data " + digest.substr(0, kShownDigits) + ")";
}

// Designs of one name that are from one experiment each: that tells them apart.
bool told_by_experiment(const Runs& runs, const std::vector<SeedGroup*>& alike) {
    std::set<std::string> experiments;
    for (const SeedGroup* group : alike) {
        std::set<std::string> own;
        for (const std::size_t run : group->runs) own.insert(runs[run].run.experiment);
        if (own.size() != 1 || !experiments.insert(*own.begin()).second) return false;
    }
    return true;
}

// Designs of one name: their experiments tell them apart; else the runs' short hashes other
// settings, the data's digest other data.
void tell_apart(const Runs& runs, std::vector<SeedGroup>& groups) {
    std::map<std::string, std::vector<SeedGroup*>> by_name;
    for (SeedGroup& group : groups) by_name[group.name].push_back(&group);
    for (const auto& [name, alike] : by_name) {
        if (alike.size() == 1) continue;
        if (told_by_experiment(runs, alike)) {
            for (SeedGroup* group : alike) {
                group->name += " (" + runs[group->runs.front()].run.experiment + ')';
            }
            continue;
        }
        std::set<std::string> settings;
        std::set<std::string> data;
        for (const SeedGroup* group : alike) {
            settings.insert(group->design.settings);
            data.insert(group->design.data_digest);
        }
        const bool is_told_by_data = settings.size() == 1 && data.size() == alike.size();
        for (SeedGroup* group : alike) {
            if (!is_told_by_data) group->name += hash_of(runs[group->runs.front()]);
            if (data.size() > 1) group->name += data_text(group->design.data_digest);
        }
    }
}

// What a run that has not begun will be tested on, where that can only be one.
void guess_unread_test_sets(std::vector<SeedGroup>& groups) {
    for (SeedGroup& group : groups) {
        if (!group.test_set.data_digest.empty()) continue;
        std::set<TestSet> possible;
        for (const SeedGroup& other : groups) {
            TestSet unread = other.test_set;
            unread.data_digest.clear();
            const bool is_read = !other.test_set.data_digest.empty();
            if (is_read && unread == group.test_set) possible.insert(other.test_set);
        }
        if (possible.size() == 1) group.test_set = *possible.begin();
    }
}

}  // namespace

std::vector<SeedGroup> seed_groups(const Runs& runs) {
    std::vector<SeedGroup> groups = Grouping(runs).groups();
    tell_apart(runs, groups);
    guess_unread_test_sets(groups);
    return groups;
}

}  // namespace lockstep::reports
