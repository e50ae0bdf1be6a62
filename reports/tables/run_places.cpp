#include "reports/tables/run_places.hpp"

#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {

std::vector<RunPlace> run_places(const std::vector<RunFigures>& runs,
                                 const std::vector<ArchitectureFigures>& entries) {
    const TestSetTexts text_of = test_set_texts(entries);
    std::vector<RunPlace> places(runs.size());
    for (const ArchitectureFigures& entry : entries) {
        const auto place = [&](std::size_t run) -> RunPlace& {
            places[run].entry = &entry;
            places[run].architecture = entry.name;
            places[run].test_set = text_of(entry.test_set);
            return places[run];
        };
        for (const std::size_t run : entry.runs) place(run);
        for (const RepeatedRun& repeat : entry.repeats) {
            place(repeat.run).same_training_as = runs[repeat.counted].run.run;
        }
    }
    return places;
}

}  // namespace lockstep::reports
