#include "trainer/environment.hpp"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "trainer/config/errors.hpp"
#include "trainer/kernels/compute_engine.hpp"
#include "trainer/kernels/cpu_isa.hpp"

namespace lockstep::trainer {

namespace {

struct RankIsa {
    CpuIsa isa = CpuIsa::none;
    std::size_t rank = 0;
    std::string host;

    std::string text() const {
        return fmt::format("rank {} ({}) has {}", rank, host, to_string(isa));
    }
};

// By rank.
std::vector<RankIsa> isas_of(const Communicator& world) {
    char host[256] = {};
    gethostname(host, sizeof host - 1);
    std::vector<RankIsa> all;
    const std::string own = fmt::format("{} {}", static_cast<int>(cpu_isa()), host);
    for (const std::string& text : world.gather_texts(own)) {
        const std::size_t space = text.find(' ');
        all.push_back({static_cast<CpuIsa>(std::stoi(text)), all.size(), text.substr(space + 1)});
    }
    return all;
}

// oneDNN at the level of its least able rank, Highway at the targets that all ranks have: nodes of
// one job may be of different generations, and their kernels of different bits. Returns a word on
// ranks that differ.
std::string agree_on_isa(const Communicator& world) {
    const std::vector<RankIsa> all = isas_of(world);
    const auto [least, most] = std::ranges::minmax_element(all, {}, &RankIsa::isa);
    if (least->isa == most->isa) return {};
    cap_onednn_isa(least->isa);
    return fmt::format("{}, {}: all compute with the lesser", least->text(), most->text());
}

// The names that oneDNN has for it; the same, where CPUs are of one kind or have been kept to one.
std::string require_one_isa(const Communicator& world) {
    const std::vector<std::string> names = world.gather_texts(onednn_isa());
    for (std::size_t rank = 1; rank < names.size(); ++rank) {
        if (names[rank] == names[0]) continue;
        throw ReplicaError(
            fmt::format("rank {} computes with {}, rank 0 with {}; set ONEDNN_MAX_CPU_ISA to the "
                        "lesser of them on all",
                        rank, names[rank], names[0]));
    }
    return names[0];
}

// The lowest bit is the most able target.
std::string best_target(std::int64_t targets) {
    const std::int64_t usable = targets & static_cast<std::int64_t>(HWY_TARGETS);
    return hwy::TargetName(static_cast<decltype(HWY_TARGET)>(usable & -usable));
}

std::string agree_on_simd_target(const Communicator& world) {
    limit_simd_to_onednn();
    const auto own = static_cast<std::int64_t>(hwy::SupportedTargets());
    std::int64_t common = own;
    for (const std::string& targets : world.gather_texts(fmt::format("{}", own)))
        common &= std::stoll(targets);
    if (common != own) hwy::DisableTargets(~common);
    return best_target(common);
}

std::string mpi_library_version() {
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    check_mpi(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
    const std::string all(text, static_cast<std::size_t>(length));
    return all.substr(0, all.find_first_of(",\n"));
}

}  // namespace

ComputeEnvironment agree_on_compute_environment(const Communicator& world) {
    std::string note = agree_on_isa(world);
    return {.isa = require_one_isa(world),
            .simd_target = agree_on_simd_target(world),
            .onednn_version = onednn_version(),
            .mpi_version = mpi_library_version(),
            .isa_note = std::move(note)};
}

std::string library_versions() {
    return fmt::format("oneDNN {}, {}", onednn_version(), mpi_library_version());
}

ComputeEnvironment own_compute_environment() {
    limit_simd_to_onednn();
    return {.isa = onednn_isa(),
            .simd_target = best_target(static_cast<std::int64_t>(hwy::SupportedTargets())),
            .onednn_version = onednn_version(),
            .mpi_version = mpi_library_version()};
}

}  // namespace lockstep::trainer
