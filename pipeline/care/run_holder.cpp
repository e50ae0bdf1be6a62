#include "pipeline/care/run_holder.hpp"

#include <fmt/format.h>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/training/run_lock.hpp"

namespace lockstep::pipeline {

bool is_held(const storage::RunStore& store, const storage::RunDatabase& database,
             const std::string& run) {
    if (holder_of(store.run_files(run).folder) == RunHolder::somebody) return true;
    const auto row = database.find_run(run);
    if (!row || row->state != storage::RunState::running) return false;
    const auto attempts = database.attempts(run);
    return !attempts.empty() && is_alive(attempts.back());
}

int newest_attempt(const storage::RunDatabase& database, const std::string& run) {
    const auto attempts = database.attempts(run);
    return attempts.empty() ? 0 : attempts.back().attempt;
}

void require_not_held(const storage::RunStore& store, const storage::RunDatabase& database,
                      const std::string& run) {
    if (!is_held(store, database, run)) return;
    throw Failure(kExitCannotCreate,
                  fmt::format("run {} is being trained; nothing of it was removed", run));
}

}  // namespace lockstep::pipeline
