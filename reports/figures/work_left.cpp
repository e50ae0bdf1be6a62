#include "reports/figures/work_left.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <variant>

namespace lockstep::reports {
namespace {

using storage::Cell;

double number(const Cell& cell) {
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
    const auto* real = std::get_if<double>(&cell);
    return real && std::isfinite(*real) ? *real : 0.0;
}

// What all measured epochs come to.
struct Measured {
    double seconds = 0.0;
    double flops = 0.0;
};

Measured measured_of(std::span<const RunWork> works, double flops) {
    Measured sum;
    for (const RunWork& work : works) {
        if (work.epoch_seconds <= 0.0 || (flops > 0.0 && work.epoch_flops != flops)) continue;
        sum.seconds += work.epochs_finished * work.epoch_seconds;
        sum.flops += work.epochs_finished * work.epoch_flops;
    }
    return sum;
}

double epoch_seconds(const RunWork& work, std::span<const RunWork> works) {
    if (work.epoch_seconds > 0.0) return work.epoch_seconds;
    Measured alike = measured_of(works, work.epoch_flops);
    if (alike.flops <= 0.0) alike = measured_of(works, 0.0);
    return alike.flops > 0.0 ? work.epoch_flops * alike.seconds / alike.flops : 0.0;
}

}  // namespace

std::vector<RunWork> run_works(const storage::Table& runs) {
    const auto at = [&](const std::vector<Cell>& row, std::string_view column) -> const Cell& {
        const auto found = std::ranges::find(runs.columns, column);
        return row.at(static_cast<std::size_t>(found - runs.columns.begin()));
    };
    std::vector<RunWork> works;
    for (const auto& row : runs.rows) {
        const double samples =
            3.0 * number(at(row, "training_samples")) + number(at(row, "validation_samples"));
        works.push_back({.run = std::get<std::string>(at(row, "run")),
                         .state = storage::run_state_from(std::get<std::string>(at(row, "state"))),
                         .epochs_finished = static_cast<int>(number(at(row, "epochs_finished"))),
                         .epochs_planned = static_cast<int>(number(at(row, "epochs_planned"))),
                         .epoch_seconds = number(at(row, "mean_epoch_seconds")),
                         .epoch_flops = samples * number(at(row, "flops_per_image"))});
    }
    return works;
}

std::optional<double> seconds_left(std::span<const RunWork> works) {
    double all = 0.0, longest = 0.0;
    int at_once = 0;
    for (const RunWork& work : works) {
        if (work.is_done()) continue;
        if (work.state == storage::RunState::running) ++at_once;
        const double seconds =
            std::max(0, work.epochs_planned - work.epochs_finished) * epoch_seconds(work, works);
        if (seconds <= 0.0) continue;
        all += seconds;
        longest = std::max(longest, seconds);
    }
    if (all <= 0.0) return std::nullopt;
    return std::max(longest, all / std::max(1, at_once));
}

}  // namespace lockstep::reports
