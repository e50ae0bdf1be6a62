#include "pipeline/command_line/man_page.hpp"

#include <fmt/format.h>

#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "pipeline/command_line/help_text.hpp"
#include "pipeline/failure/exit_codes.hpp"

namespace lockstep::pipeline {
namespace {

// Text in which nothing is a request or an escape; a hyphen is the one that people type.
std::string roff(std::string_view text) {
    std::string result;
    for (const char byte : text) {
        const bool begins_line = result.empty() || result.back() == '\n';
        if (begins_line && (byte == '.' || byte == '\'')) result += "\\&";
        if (byte == '\\')
            result += "\\e";
        else if (byte == '-')
            result += "\\-";
        else if (byte == '\'')
            result += "\\(aq";
        else
            result += byte;
    }
    return result;
}

std::string names_of(const CommandOption& option) {
    std::string text;
    for (const std::string& name : option.names)
        text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", roff(name));
    if (!option.value.empty()) text += fmt::format(" \\fI{}\\fR", roff(option.value));
    return text;
}

std::string entry(const std::string& term, std::string_view text) {
    return fmt::format(".TP\n{}\n{}\n", term, roff(text));
}

std::string synopsis(const Command& verb) {
    std::string text = fmt::format("\\fBlockstep {}\\fR", roff(verb.name()));
    if (!verb.options.empty()) text += " [\\fIOPTION\\fR...]";
    for (const CommandOption& argument : verb.arguments) {
        const std::string name = "\\fI" + roff(argument.names.front()) + "\\fR";
        const std::string one = argument.is_list ? name + "..." : name;
        text += argument.is_required ? ' ' + one : " [" + one + ']';
    }
    return text;
}

constexpr std::size_t kExampleWidth = 70;  // of 80, which man indents by 7

std::string section_of(const Command& verb) {
    if (!verb.verbs.empty()) return {};  // those below it have sections
    std::string text =
        fmt::format(".SS {}\n{}\n.PP\n{}\n", roff(verb.name()), synopsis(verb), roff(verb.help));
    for (const CommandOption& argument : verb.arguments)
        text += entry("\\fI" + roff(argument.names.front()) + "\\fR", argument.help);
    for (const CommandOption& option : verb.options) {
        if (option.names.back() != "--help") text += entry(names_of(option), option.help);
    }
    return text + ".PP\n.nf\n" + roff(fitted_help(verb.examples, kExampleWidth)) + "\n.fi\n";
}

constexpr std::array<std::pair<int, std::string_view>, 14> kExitCodes{{
    {kExitSuccess, "all is done"},
    {kExitSomeRunsFailed, "trained, but a run has failed"},
    {kExitUsage, "unknown verb or option"},
    {kExitBadData, "data, weights or database are damaged"},
    {kExitMissingInput, "an input is not there"},
    {kExitUnavailable, "a program or feature is missing"},
    {kExitInternal, "ranks diverged, or an internal error"},
    {kExitSystem, "out of memory or another limit of the system"},
    {kExitCannotCreate, "an output cannot be made"},
    {kExitInputOutput, "reading or writing failed"},
    {kExitInterrupted, "stopped early; the same command goes on"},
    {kExitLeftToOthers, "other jobs on the store train what is not finished yet"},
    {kExitNoPermission, "not permitted"},
    {kExitBadSpec, "the experiment file is wrong"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEnvironment{{
    {"LOCKSTEP_LEASE_SECONDS", "how long a job's claim on a run lasts without a sign of life; 90"},
    {"ONEDNN_MAX_CPU_ISA", "the newest instruction set that kernels use, as AVX2; ours follow"},
    {"NO_COLOR", "no colours, if set"},
    {"TMPDIR", "where Open MPI keeps its session"},
    {"SLURM_JOB_END_TIME", "when the job ends: training stops in time"},
}};

}  // namespace

std::string man_page(const Command& program, const std::string& version) {
    std::string text = fmt::format(
        ".TH LOCKSTEP 1 \"\" \"lockstep {}\" \"User Commands\"\n.SH NAME\nlockstep \\- {}\n"
        ".SH SYNOPSIS\n",
        roff(version), roff(program.help));
    for (const Command* verb : all_verbs(program)) {
        if (verb->verbs.empty()) text += synopsis(*verb) + "\n.br\n";
    }
    text += ".SH VERBS\n";
    for (const Command* verb : all_verbs(program)) text += section_of(*verb);
    text += ".SH EXIT STATUS\n";
    for (const auto& [code, meaning] : kExitCodes)
        text += entry(fmt::format("\\fB{}\\fR", code), meaning);
    text += ".SH ENVIRONMENT\n";
    for (const auto& [name, meaning] : kEnvironment)
        text += entry("\\fB" + std::string(name) + "\\fR", meaning);
    return text + ".SH FILES\n" +
           entry("\\fIlockstep\\-store/lockstep.db\\fR",
                 "every run, epoch and figure, as an SQLite database") +
           entry("\\fIlockstep\\-store/runs/\\fR",
                 "weights (HDF5), checkpoints, predictions and the log of each run") +
           ".SH SEE ALSO\n\\fBmpirun\\fR(1), \\fBsqlite3\\fR(1)\n";
}

}  // namespace lockstep::pipeline
