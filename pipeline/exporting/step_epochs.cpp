#include "pipeline/exporting/step_epochs.hpp"

#include <cstddef>
#include <cstdint>

namespace lockstep::pipeline {

std::vector<const storage::EpochRow*> step_epochs(std::span<const storage::EpochRow> epochs,
                                                  std::span<const storage::StepRow> steps) {
    std::vector<const storage::EpochRow*> result;
    if (epochs.empty()) return result;
    std::size_t epoch = 0;
    std::int64_t end = epochs.front().steps;  // of that epoch, in steps of the run
    for (const storage::StepRow& row : steps) {
        while (epoch + 1 < epochs.size() && row.step >= end) end += epochs[++epoch].steps;
        result.push_back(&epochs[epoch]);
    }
    return result;
}

}  // namespace lockstep::pipeline
