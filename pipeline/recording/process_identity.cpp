#include "pipeline/recording/process_identity.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

namespace lockstep::pipeline {

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

bool is_process_gone(const storage::AttemptRow& attempt) {
    if (attempt.host != host_name() || attempt.pid <= 0) return false;
    if (attempt.boot_id != boot_id()) return !attempt.boot_id.empty() && !boot_id().empty();
    return ::kill(static_cast<pid_t>(attempt.pid), 0) != 0 && errno == ESRCH;
}

}  // namespace lockstep::pipeline
