#include "pipeline/recording/run_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "pipeline/planning/checkpoint_size.hpp"
#include "reports/words/number_text.hpp"
#include "storage/files/file_system.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// A third checkpoint is made beside the newest and the one before.
constexpr std::int64_t kCheckpointsAtOnce = 3;

std::optional<std::int64_t> room_in(const fs::path& folder) {
    const std::optional<std::int64_t> free = storage::free_bytes(folder);
    const std::optional<std::int64_t> quota = storage::quota_bytes_left(folder);
    return free && quota ? std::min(*free, *quota) : free;
}

std::int64_t bytes_in(const fs::path& folder) {
    std::int64_t bytes = 0;
    for (const fs::path& file : storage::entries_of(folder)) {
        std::error_code error;
        const std::uintmax_t size = fs::file_size(file, error);
        if (!error) bytes += static_cast<std::int64_t>(size);
    }
    return bytes;
}

}  // namespace

std::int64_t least_bytes(const PlannedRun& planned, bool is_start) {
    const std::int64_t checkpoint = least_checkpoint_bytes(planned);
    if (!is_start) return checkpoint;
    const std::int64_t epochs = planned.run.config.train.epochs;
    const std::int64_t weights = planned.parameters * std::int64_t{sizeof(float)};  // final.h5
    return std::max(std::min(epochs, kCheckpointsAtOnce) * checkpoint,
                    std::min(epochs, kCheckpointsAtOnce - 1) * checkpoint + weights);
}

void require_space(const PlannedRun& planned, const storage::RunFiles& files, bool is_start) {
    const std::optional<std::int64_t> room = room_in(files.folder);
    if (!room) return;
    const std::int64_t free = *room + (is_start ? bytes_in(files.folder) : 0);
    const std::int64_t wanted = least_bytes(planned, is_start);
    if (free >= wanted) return;
    throw storage::StorageError(
        storage::StorageError::Kind::full,
        fmt::format("run {}: {} bytes are free in {}, its files need at least {}; `lockstep gc`, "
                    "or another --store",
                    planned.id, reports::thousands(free), files.folder.string(),
                    reports::thousands(wanted)));
}

}  // namespace lockstep::pipeline
