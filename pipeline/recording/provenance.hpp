#pragma once

// Where a run comes from: what was typed, and which version of the files it was typed over.

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::pipeline {

struct Provenance {
    std::string command;  // "lockstep run my.toml --set 'train.epochs = 2'", as a shell takes it
    std::string source;   // describe_source()
};

// `words` as a shell takes them: those with other characters than those of names and paths in
// single quotes.
std::string shell_text(const std::vector<std::string>& words);

// "commit 3f2a..., clean", or "..., with uncommitted changes", or "..., my.toml is not in it": the
// git repository that the experiment file lies in. "" where there is none, or no git, or where git
// takes longer than a second. Changes nothing, and runs nothing that the repository names. Starts a
// process: to be asked before MPI runs.
std::string describe_source(const std::filesystem::path& experiment_file);

}  // namespace lockstep::pipeline
