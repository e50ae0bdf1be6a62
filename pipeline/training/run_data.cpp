#include "pipeline/training/run_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "liveness/fault_point.hpp"
#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/process_state.hpp"
#include "storage/files/this_host.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/data/node_dataset.hpp"

namespace lockstep::pipeline {
namespace {

// Every node reads the files itself, and must have read the same.
void compare_digests(const trainer::Communicator& world, const trainer::Dataset& dataset) {
    const std::vector<std::string> digests = world.gather_texts(dataset.digest);
    const std::vector<std::string> hosts = world.gather_texts(storage::host_name());
    for (std::size_t rank = 1; rank < digests.size(); ++rank) {
        if (digests[rank] == digests[0]) continue;
        throw AgreedFailure(
            kExitBadData,
            fmt::format("rank {} ({}) reads other data (SHA-256 {}...) than rank 0 ({}: {}...); "
                        "all ranks need the same files",
                        rank, hosts[rank], digests[rank].substr(0, 12), hosts[0],
                        digests[0].substr(0, 12)));
    }
}

}  // namespace

std::shared_ptr<const trainer::Dataset> load_on_nodes(const trainer::DataConfig& data,
                                                      const trainer::Communicator& world) {
    liveness::note(liveness::Phase::data);
    liveness::fault_point("data.load");
    const trainer::Communicator node = world.split_by_node();
    std::shared_ptr<const trainer::Dataset> dataset;
    do_on_all(world, [&] {
        if (node.is_root()) dataset = trainer::load_dataset(data);
    });
    dataset = trainer::share_dataset(node, std::move(dataset));
    do_on_all(world, [&] {
        if (dataset == nullptr) dataset = trainer::load_dataset(data);
    });
    compare_digests(world, *dataset);
    return dataset;
}

void require_data(const Plan& plan) {
    std::exception_ptr first;
    for (const PlannedRun& planned : plan.runs) {
        const trainer::DataConfig& data = planned.run.config.data;
        try {
            return trainer::require_dataset(data);
        } catch (const trainer::DataError&) {
            if (!first) first = std::current_exception();
        }
    }
    if (first) std::rethrow_exception(first);
}

std::vector<std::string> data_warnings(const Plan& plan, const std::vector<std::size_t>& runs) {
    std::vector<std::string> warnings;
    for (const std::size_t run : runs) {
        const std::string& warning = plan.runs[run].run.data_traits.warning;
        if (!warning.empty() && std::ranges::find(warnings, warning) == warnings.end()) {
            warnings.push_back(warning);
        }
    }
    return warnings;
}

RunDatasets::RunDatasets(const Plan& plan, const std::vector<std::size_t>& runs,
                         const trainer::Communicator& world) {
    for (const std::size_t run : runs) {
        const trainer::DataConfig& data = plan.runs[run].run.config.data;
        const auto [place, is_new] = entries_.try_emplace(trainer::dataset_key(data));
        if (!is_new) continue;
        Entry& entry = place->second;
        try {
            entry.dataset = load_on_nodes(data, world);
        } catch (const AgreedFailure& failure) {
            entry.failure = failure;
        }
    }
    if (entries_.size() == 1 && entries_.begin()->second.failure) {
        const Failure& failure = *entries_.begin()->second.failure;
        throw AgreedFailure(failure.exit_code(), failure.what());
    }
}

std::shared_ptr<const trainer::Dataset> RunDatasets::get(const PlannedRun& planned) const {
    const Entry& entry = entries_.at(trainer::dataset_key(planned.run.config.data));
    if (entry.failure) throw *entry.failure;
    return entry.dataset;
}

std::string RunDatasets::digest(const PlannedRun& planned) const {
    const Entry& entry = entries_.at(trainer::dataset_key(planned.run.config.data));
    return entry.failure ? std::string() : entry.dataset->digest;
}

}  // namespace lockstep::pipeline
