#include "pipeline/ranks/resource_limits.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"

namespace lockstep::pipeline {
namespace {

constexpr rlim_t kSharedFile = 5 << 20;  // bytes; Open MPI 4's are 4 MiB and some

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

}  // namespace

void require_limits(int ranks) {
    if (ranks > 1) require_descriptors(ranks);
    require_file_size();
}

}  // namespace lockstep::pipeline
