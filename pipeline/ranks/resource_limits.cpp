#include "pipeline/ranks/resource_limits.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/mpi_leftovers.hpp"
#include "storage/files/file_system.hpp"

namespace lockstep::pipeline {
namespace {

constexpr rlim_t kSharedFile = 5 << 20;           // bytes; Open MPI 4's are 4 MiB and some
constexpr std::int64_t kSessionBytes = 10 << 20;  // of Open MPI 4: two of those, on 1 to 8 ranks

void require_descriptors(int ranks) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t needed = 48 + 8 * static_cast<rlim_t>(ranks);
    if (limit.rlim_cur >= needed) return;
    limit.rlim_cur = std::min(limit.rlim_max, needed);
    if (limit.rlim_cur == needed && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
    throw Failure(kExitSystem, fmt::format("{} ranks need {} open files; ulimit -n allows {}",
                                           ranks, needed, limit.rlim_max));
}

void require_file_size() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= kSharedFile) return;
    throw Failure(kExitSystem,
                  fmt::format("Open MPI needs files of {} KiB, checkpoints may be longer; "
                              "ulimit -f allows {} KiB",
                              kSharedFile / 1024, limit.rlim_cur / 1024));
}

void require_session_space() {
    const std::filesystem::path folder = mpi_places().sessions;
    const auto free = storage::free_bytes(folder);
    if (!free || *free >= kSessionBytes) return;
    throw Failure(kExitInputOutput,
                  fmt::format("{} KiB are free in {}, where Open MPI needs {} KiB for what its "
                              "processes share; TMPDIR names another folder",
                              *free / 1024, folder.string(), kSessionBytes / 1024));
}

}  // namespace

void require_limits(int ranks) {
    if (ranks > 1) require_descriptors(ranks);
    require_file_size();
    require_session_space();
}

}  // namespace lockstep::pipeline
