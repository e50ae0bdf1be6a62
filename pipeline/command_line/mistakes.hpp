#pragma once

// A command line that means nothing, told with what may have been meant.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/launcher.hpp"

namespace lockstep::pipeline {

std::vector<std::string> verb_names(const CLI::App& app);
// The innermost verb that was found.
const CLI::App& parsed_verb(const CLI::App& app);
// "bench allreduce"
std::string full_name(const CLI::App& verb);

// Throws UsageError where the first word is no verb; CLI11 would say that a verb is missing.
void check_verb(const CLI::App& app, ProcessArguments arguments);

// Throws UsageError where an option stands in the place of another one's value, or behind "--name="
// nothing does: CLI11 would take the next word for it.
void check_values(const CLI::App& app, ProcessArguments arguments);
// An option that `what` tells is given too often, or without its value.
UsageError wrong_count(const CLI::App& app, const std::string& what);

// Throws UsageError for a word that is nearly a verb below `above`.
void check_near_verb(const CLI::App& above, const std::string& word);

// `words` of `lockstep help`, of which `above` has not the last.
UsageError unknown_verb(const CLI::App& above, const std::string& words);
// What CLI11 could make nothing of.
UsageError unexpected(const CLI::App& app);
// `what` CLI11 misses, with an example that has it; of a group of verbs, those that there are.
UsageError missing_word(const CLI::App& app, const std::string& what);

}  // namespace lockstep::pipeline
