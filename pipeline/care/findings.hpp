#pragma once

// What `fsck` finds, and what becomes of it.

#include <functional>
#include <string>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::pipeline {

// note: nothing is wrong; warning: litter and loose ends, nothing is lost; error: something is
// damaged or lost.
enum class Severity { note, warning, error };
enum class Outcome { not_tried, mended, failed };

struct Finding {
    Severity severity = Severity::note;
    std::string where;   // a path relative to the store, or another place
    std::string what;    // one line
    std::string repair;  // what --repair does about it; "": nothing
    Outcome outcome = Outcome::not_tried;
    std::string failure;  // why mending failed
};

class Findings {
public:
    // With `repairs` each finding is mended as soon as it is reported, so that what is looked at
    // next is the mended store.
    explicit Findings(bool repairs) : repairs_(repairs) {}

    bool repairs() const { return repairs_; }
    const std::vector<Finding>& all() const { return all_; }

    // Reports what `mend` can put right; `repair` says how. True if it was mended.
    bool report(Severity severity, const std::string& where, const std::string& what,
                const std::string& repair, const std::function<void()>& mend);
    // Reports what this program cannot put right.
    void report(Severity severity, const std::string& where, const std::string& what);

    // True where nothing but notes and mended findings are left.
    bool is_sound() const;

private:
    bool repairs_;
    std::vector<Finding> all_;
};

// severity, where, what, repair; with `repairs` what became of it too.
storage::Table findings_table(const std::vector<Finding>& findings, bool repairs);

}  // namespace lockstep::pipeline
