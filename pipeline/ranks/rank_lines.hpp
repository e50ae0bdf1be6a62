#pragma once

// Lines by which ranks tell on standard error what becomes of the job. Their user reads them as
// they are; the process that started them knows them by their beginnings.

#include <optional>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

// A rank that is late.
std::string waiting_line(std::string_view text);  // "lockstep: warning: waiting for ..."
// A rank that is gone or stuck: the job ends, and the same command goes on.
std::string lost_line(std::string_view text);  // "lockstep: lost ...; the same command goes on"
std::optional<std::string> lost_in(std::string_view line);

// Between ranks and the process that started them alone, by rank 0: all ranks listen to signals;
// the work ended in order, with this exit code.
std::string ready_line();
std::string end_line(int exit_code);
bool is_ready_line(std::string_view line);
std::optional<int> end_in(std::string_view line);

// In one piece, so that lines of several ranks do not mix.
void write_line_of_rank(std::string line);
// Of those for the process that started the ranks.
void tell_supervisor(const std::string& line);

}  // namespace lockstep::pipeline
