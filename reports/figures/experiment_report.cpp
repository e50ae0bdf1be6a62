#include "reports/figures/experiment_report.hpp"

#include <algorithm>
#include <utility>

#include "storage/files/storage_error.hpp"

namespace lockstep::reports {
namespace {

// Reads one thing of a run; what cannot be read is a line of the report.
template <class Read>
auto read_or_tell(std::vector<std::string>& problems, Read read) -> decltype(read()) {
    try {
        return read();
    } catch (const storage::StorageError& error) {
        problems.emplace_back(error.what());
    }
    return {};
}

void add_predictions(storage::Predictions predictions, DetailedRun& detailed) {
    detailed.predictions = prediction_figures(predictions);
    detailed.sheet = {predictions.image_height, predictions.image_width,
                      std::move(predictions.images)};
    detailed.augmentation = std::move(predictions.augmentation);
}

TestAnswers answers_of(const std::string& run, const storage::Predictions& predictions) {
    return {run, predictions.labels, prediction_figures(predictions).is_correct};
}

std::vector<RunFigures> figures_of(const std::vector<std::string>& runs,
                                   const ReportSource& source) {
    std::vector<RunFigures> figures;
    for (const std::string& run : runs) figures.push_back(run_figures(source.details(run)));
    return figures;
}

// The architectures of all runs: those of `shown`, whose places stay, and those beside them.
std::vector<ArchitectureFigures> all_architectures(std::vector<RunFigures> shown,
                                                   const std::vector<RunFigures>& beside) {
    shown.insert(shown.end(), beside.begin(), beside.end());
    return leaderboard(shown);
}

class ReportMaker {
public:
    ReportMaker(ExperimentReport& report, const ReportSource& source)
        : report_(report), source_(source) {}

    void add_details() {
        std::vector<std::size_t> places = places_of_trainings(report_.entries);
        places.resize(std::min(places.size(), kDetailedRuns));
        for (const std::size_t place : places) {
            report_.detailed.push_back(detailed(place));
            show_augmentation_once(report_.detailed.back());
        }
    }

    void add_pairs() {
        const std::size_t count = std::min(report_.entries.size(), kComparedArchitectures);
        const std::vector<ArchitectureFigures> compared(
            report_.entries.begin(), report_.entries.begin() + static_cast<std::ptrdiff_t>(count));
        for (const std::size_t place : places_of_trainings(compared))
            add_answers(report_.runs[place]);
        report_.pairs =
            compare_pairs(report_.runs, report_.entries, report_.tests, answers_, count);
    }

private:
    DetailedRun detailed(std::size_t place) {
        const RunFigures& run = report_.runs[place];
        DetailedRun one{.run = place};
        one.summary = read_or_tell(one.problems, [&] { return source_.summary(run); });
        one.steps = read_or_tell(one.problems, [&] { return source_.steps(run); });
        one.filters = read_or_tell(one.problems, [&] { return source_.filters(run); });
        auto predictions = read_or_tell(one.problems, [&] { return source_.predictions(run); });
        if (predictions) {
            answers_.push_back(answers_of(run.run.run, *predictions));
            add_predictions(std::move(*predictions), one);
        }
        return one;
    }

    // Of runs with the same picture the first one keeps it.
    void show_augmentation_once(DetailedRun& one) {
        if (one.augmentation.pixels.empty()) return;
        const auto same =
            std::ranges::find(report_.detailed, one.augmentation, &DetailedRun::augmentation);
        if (&*same == &one) return;
        one.augmentation_of = report_.runs[same->run].run.name;
        one.augmentation = {};
    }

    void add_answers(const RunFigures& run) {
        const bool is_known =
            std::ranges::find(answers_, run.run.run, &TestAnswers::run) != answers_.end();
        if (is_known || !run.is_finished()) return;
        std::vector<std::string> problems;  // told where the run is shown in full
        const auto predictions = read_or_tell(problems, [&] { return source_.predictions(run); });
        if (predictions) answers_.push_back(answers_of(run.run.run, *predictions));
    }

    ExperimentReport& report_;
    const ReportSource& source_;
    std::vector<TestAnswers> answers_;
};

}  // namespace

std::size_t ImageSheet::count() const {
    const std::size_t bytes =
        static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3;
    return bytes == 0 ? 0 : images.size() / bytes;
}

ExperimentReport make_comparison(const std::vector<RunFigures>& shown,
                                 const std::vector<RunFigures>& beside) {
    ExperimentReport report;
    report.runs = shown;
    report.entries = leaderboard(report.runs);
    report.tests = beside.empty()
                       ? pair_tests(report.entries, report.entries)
                       : pair_tests(report.entries, all_architectures(report.runs, beside));
    return report;
}

ExperimentReport make_report(const storage::ExperimentRow& experiment, const ReportedRuns& runs,
                             const ReportSource& source) {
    ExperimentReport report =
        make_comparison(figures_of(runs.shown, source), figures_of(runs.beside, source));
    report.experiment = experiment;
    ReportMaker maker(report, source);
    maker.add_details();
    maker.add_pairs();
    return report;
}

}  // namespace lockstep::reports
