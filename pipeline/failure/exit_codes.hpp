#pragma once

// What the process says with its exit status: the codes of sysexits.h, with 1 for an experiment
// with runs that failed by themselves. Batch systems requeue on kExitInterrupted.

namespace lockstep::pipeline {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitSomeRunsFailed = 1;
inline constexpr int kExitUsage = 64;         // unknown verb or option
inline constexpr int kExitBadData = 65;       // data, weights or database are damaged
inline constexpr int kExitMissingInput = 66;  // an input file is not there
inline constexpr int kExitUnavailable = 69;   // a program or feature is missing
inline constexpr int kExitInternal = 70;      // ranks diverged, internal error
inline constexpr int kExitSystem = 71;        // out of memory or another limit of the system
inline constexpr int kExitCannotCreate = 73;  // an output cannot be made
inline constexpr int kExitInputOutput = 74;   // reading or writing failed
inline constexpr int kExitInterrupted = 75;   // stopped early; the same command goes on
// Another job on the same store trains, or has taken over, runs that are not finished yet.
// EX_PROTOCOL.
inline constexpr int kExitLeftToOthers = 76;
inline constexpr int kExitNoPermission = 77;
inline constexpr int kExitBadSpec = 78;  // the experiment file is wrong

}  // namespace lockstep::pipeline
