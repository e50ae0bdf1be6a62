#pragma once

// Faults on purpose: places where a test, or a user who wants to see what a fault does, lets this
// program die, hang or fail. Off unless LOCKSTEP_FAULT is set:
//
//     LOCKSTEP_FAULT="POINT[@KEY=NUMBER...]:ACTION[;...]"
//     LOCKSTEP_FAULT="step.begin@rank=1@step=7@attempt=1:kill"
//     LOCKSTEP_FAULT="exchange.hop@rank=0@step=12@count=5:kill"    the fifth hop of that step
//
//   POINT    init  data.load  step.begin  step.after_forward  exchange  exchange.hop
//            step.after_update  evaluation  epoch.end  ckpt.serialize  ckpt.before_fsync
//            ckpt.before_rename  ckpt.after_rename  db.begin  db.before_commit  db.after_commit
//            report.write  finalize
//   KEY      rank     of the job, from 0; every one unless given
//            step     of the run, from 0, at points of a step
//            count    the n-th time that this process comes by, from 1
//            attempt  the n-th start of the ranks by one `lockstep run`, from 1
//   ACTION   kill, abort, segv (a signal to itself), exit=CODE (at once), stop (SIGSTOP), hang,
//            sleep=SECONDS, error (an exception)

#include <cstdint>
#include <string_view>

namespace lockstep::liveness {

// Reads LOCKSTEP_FAULT. Call once, before the first point.
//   rank, attempt   of this process
// Throws std::invalid_argument if it says nothing that can be done.
void arm_faults(int rank, int attempt);

namespace detail {
extern bool are_faults_armed;
void strike(std::string_view point, std::int64_t step);
}  // namespace detail

// `step`: of the run, where the point has one. Throws std::runtime_error where `error` is asked
// for.
inline void fault_point(std::string_view point, std::int64_t step = -1) {
    if (detail::are_faults_armed) [[unlikely]]
        detail::strike(point, step);
}

}  // namespace lockstep::liveness
