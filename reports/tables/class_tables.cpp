#include "reports/tables/class_tables.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "reports/tables/optional_cell.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

struct Confusion {
    std::size_t label = 0;
    std::size_t predicted = 0;
    std::int64_t samples = 0;
};

std::int64_t count(const PredictionFigures& figures, std::size_t label, std::size_t predicted) {
    return figures.confusion[label * figures.classes.size() + predicted];
}

// In the order of labels; the first of equals.
Confusion greatest_mistake(const PredictionFigures& figures, std::size_t label) {
    Confusion greatest{label, label, 0};
    for (std::size_t predicted = 0; predicted < figures.classes.size(); ++predicted) {
        const std::int64_t samples = count(figures, label, predicted);
        if (predicted != label && samples > greatest.samples)
            greatest = {label, predicted, samples};
    }
    return greatest;
}

std::vector<std::size_t> shown_labels(const PredictionFigures& figures,
                                      std::optional<std::size_t> worst) {
    std::vector<std::size_t> labels(figures.classes.size());
    std::iota(labels.begin(), labels.end(), std::size_t{0});
    if (!worst) return labels;
    std::erase_if(labels, [&](std::size_t label) { return !figures.classes[label].recall; });
    std::ranges::stable_sort(labels, {},
                             [&](std::size_t label) { return *figures.classes[label].recall; });
    labels.resize(std::min(labels.size(), *worst));
    return labels;
}

std::vector<Confusion> confusions(const PredictionFigures& figures) {
    std::vector<Confusion> all;
    for (std::size_t label = 0; label < figures.classes.size(); ++label) {
        for (std::size_t predicted = 0; predicted < figures.classes.size(); ++predicted) {
            const std::int64_t samples = count(figures, label, predicted);
            if (samples > 0) all.push_back({label, predicted, samples});
        }
    }
    return all;
}

}  // namespace

Table classes_table(const PredictionFigures& figures, std::optional<std::size_t> worst) {
    Table table{{"class", "samples", "correct", "recall", "precision", "f1", "taken_for",
                 "taken_for_samples"},
                {}};
    for (const std::size_t label : shown_labels(figures, worst)) {
        const ClassFigures& each = figures.classes[label];
        const Confusion mistake = greatest_mistake(figures, label);
        table.rows.push_back(
            {each.name, each.samples, each.correct, cell(each.recall), cell(each.precision),
             cell(each.f1),
             mistake.samples > 0 ? Cell(figures.class_names[mistake.predicted]) : Cell(),
             mistake.samples > 0 ? Cell(mistake.samples) : Cell()});
    }
    return table;
}

Table confusion_matrix(const PredictionFigures& figures) {
    Table table{{"class"}, {}};
    table.columns.insert(table.columns.end(), figures.class_names.begin(),
                         figures.class_names.end());
    for (std::size_t label = 0; label < figures.classes.size(); ++label) {
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(figures.class_names[label]);
        for (std::size_t predicted = 0; predicted < figures.classes.size(); ++predicted) {
            const std::int64_t samples = count(figures, label, predicted);
            if (samples > 0)
                row.emplace_back(samples);
            else
                row.emplace_back();
        }
    }
    return table;
}

Table confusions_table(const PredictionFigures& figures, std::optional<std::size_t> most) {
    std::vector<Confusion> all = confusions(figures);
    if (most) {
        std::erase_if(all, [](const Confusion& each) { return each.label == each.predicted; });
        std::ranges::stable_sort(all, std::ranges::greater{}, &Confusion::samples);
        all.resize(std::min(all.size(), *most));
    }
    Table table{{"class", "taken_for", "samples"}, {}};
    for (const Confusion& each : all)
        table.rows.push_back(
            {figures.class_names[each.label], figures.class_names[each.predicted], each.samples});
    return table;
}

}  // namespace lockstep::reports
