#include "trainer/environment.hpp"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <algorithm>

#include "trainer/kernels/compute_engine.hpp"

namespace lockstep::trainer {

namespace {

// oneDNN at the level of its least able rank, Highway at the targets that all ranks have: nodes of
// one job may be of different generations, and their kernels of different bits.
std::string agree_on_isa(const Communicator& world) {
    int least = onednn_isa_level();
    for (const std::string& level : world.gather_texts(fmt::format("{}", least)))
        least = std::min(least, std::stoi(level));
    return cap_onednn_isa(least);
}

std::string agree_on_simd_target(const Communicator& world) {
    limit_simd_to_onednn();
    const auto own = static_cast<std::int64_t>(hwy::SupportedTargets());
    std::int64_t common = own;
    for (const std::string& targets : world.gather_texts(fmt::format("{}", own)))
        common &= std::stoll(targets);
    if (common != own) hwy::DisableTargets(~common);
    // The lowest bit is the most able target.
    const std::int64_t usable = common & static_cast<std::int64_t>(HWY_TARGETS);
    return hwy::TargetName(static_cast<decltype(HWY_TARGET)>(usable & -usable));
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
    return {.isa = agree_on_isa(world),
            .simd_target = agree_on_simd_target(world),
            .onednn_version = onednn_version(),
            .mpi_version = mpi_library_version()};
}

ComputeEnvironment own_compute_environment() {
    const std::string isa = cap_onednn_isa(onednn_isa_level());
    limit_simd_to_onednn();
    const std::int64_t usable =
        static_cast<std::int64_t>(hwy::SupportedTargets()) & static_cast<std::int64_t>(HWY_TARGETS);
    return {.isa = isa,
            .simd_target = hwy::TargetName(static_cast<decltype(HWY_TARGET)>(usable & -usable)),
            .onednn_version = onednn_version(),
            .mpi_version = mpi_library_version()};
}

}  // namespace lockstep::trainer
