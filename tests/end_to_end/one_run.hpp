#pragma once

// The run "batch-normalized" of experiments/smoke.toml: 3 epochs of 10 steps, a fraction of a
// second. What tests of faults train, and compare with one that nothing ended.

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::tests {

inline constexpr const char* kOneRun = "batch-normalized";

// Of `lockstep`, for ranks that others start; and with `--ranks 2`.
std::vector<std::string> rank_arguments(const std::filesystem::path& store,
                                        const std::vector<std::string>& more = {});
std::vector<std::string> arguments_of_two(const std::filesystem::path& store,
                                          std::vector<std::string> more = {});

// `env NAME=VALUE COMMAND...`, of a command.
std::vector<std::string> with_variable(const std::string& variable,
                                       std::vector<std::string> command);

// The bytes of its final.h5; and of one that nothing ended, which is trained once.
std::string final_weights(const std::filesystem::path& store);
const std::string& expected_weights();

// No process is left, and the same command goes on to the expected weights.
void check_resumes(const std::filesystem::path& store);

bool contains(const std::string& text, const std::string& part);
std::string name_of(pid_t process);  // as the kernel has it; "" if it is gone

// The mpirun of a training on this store; 0 if there is none. That of Open MPI 5 is named prterun.
pid_t mpirun_on(const std::filesystem::path& store);

}  // namespace lockstep::tests
