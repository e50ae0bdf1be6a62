#include "pipeline/command_line/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/command_line/command_tree.hpp"
#include "pipeline/command_line/completion.hpp"
#include "pipeline/command_line/help_format.hpp"
#include "pipeline/command_line/help_text.hpp"
#include "pipeline/command_line/man_page.hpp"
#include "pipeline/command_line/mistakes.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/recording/version.hpp"

namespace lockstep::pipeline {
namespace {

void add_verbs(VerbList verbs) {
    add_training_verbs(verbs);
    add_reading_verbs(verbs);
    add_comparing_verbs(verbs);
    add_inference_verbs(verbs);
    add_export_verbs(verbs);
    add_care_verbs(verbs);
    add_bench_verbs(verbs);
}

void declare_program(CLI::App& app) {
    app.formatter(std::make_shared<HelpFormat>());
    app.set_help_flag("-h,--help", "show this help");
    app.set_version_flag("-V,--version", "lockstep " + lockstep_version(), "show the version");
    app.require_subcommand(1);
    app.footer(
        "Examples:\n"
        "  lockstep run experiments/tutorials.toml     trains, on all cores\n"
        "  lockstep compare                            sets the results side by side\n"
        "  lockstep help VERB                          options and examples of a verb");
}

Action printing(std::string text) {
    return [text = std::move(text)] {
        print(text);
        return kExitSuccess;
    };
}

Action helping(std::string help) {
    return [help = std::move(help)] {
        const std::optional<std::size_t> width = output_width();
        print(width ? fitted_help(help, *width) : help);
        return kExitSuccess;
    };
}

// ---- verbs about the program itself ----------------------------------------------------------

const CLI::App& verb_called(const CLI::App& app, const std::vector<std::string>& words) {
    const CLI::App* verb = &app;
    for (const std::string& word : words) {
        const auto found =
            verb->get_subcommands([&](const CLI::App* each) { return each->get_name() == word; });
        if (found.empty()) throw unknown_verb(*verb, fmt::format("{}", fmt::join(words, " ")));
        verb = found.front();
    }
    return *verb;
}

// Its usage begins with the program's name and those of the verbs above it.
std::string full_help(const CLI::App& app, const CLI::App& verb) {
    // Its own help() would be that of the verb that was parsed.
    if (&verb == &app)
        return app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
    std::string above;
    for (const CLI::App* each = verb.get_parent(); each != nullptr; each = each->get_parent())
        above = each->get_name() + (above.empty() ? "" : ' ' + above);
    return verb.help(above);
}

void add_help(CLI::App& app, Action& chosen) {
    CLI::App& verb = *app.add_subcommand("help", "explain a verb")->group(kVerbs);
    verb.footer(
        "Examples:\n  lockstep help\n  lockstep help run\n  lockstep help export weights\n");
    const auto words = std::make_shared<std::vector<std::string>>();
    verb.add_option("VERB", *words, "the verb, and the verb below it; all if none")->type_name("");
    verb.final_callback(
        [&app, &chosen, words] { chosen = helping(full_help(app, verb_called(app, *words))); });
}

void add_completion(CLI::App& app, Action& chosen) {
    CLI::App& verb =
        *app.add_subcommand("completion", "write a shell's completion of lockstep")->group(kVerbs);
    verb.footer(
        "Examples:\n  source <(lockstep completion bash)        in ~/.bashrc\n"
        "  lockstep completion zsh > ~/.zfunc/_lockstep\n"
        "  lockstep completion fish > ~/.config/fish/completions/lockstep.fish\n");
    const auto shell = std::make_shared<std::string>();
    verb.add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->type_name("")
        ->check(CLI::Validator(
            [](const std::string& word) {
                const bool is_known = word == "bash" || word == "zsh" || word == "fish";
                return is_known ? "" : fmt::format("\"{}\" is none of bash|zsh|fish", word);
            },
            ""));
    verb.final_callback([&app, &chosen, shell] {
        const Shell kind = *shell == "zsh"    ? Shell::zsh
                           : *shell == "fish" ? Shell::fish
                                              : Shell::bash;
        chosen = printing(completion_script(command_tree(app), kind));
    });
}

void add_man(CLI::App& app, Action& chosen) {
    CLI::App& verb =
        *app.add_subcommand("man", "write the manual page, lockstep(1)")->group(kVerbs);
    verb.footer("Examples:\n  lockstep man | man -l -\n");
    verb.final_callback(
        [&app, &chosen] { chosen = printing(man_page(command_tree(app), lockstep_version())); });
}

// `lockstep export vgg-bn --format onnx` means `lockstep export weights vgg-bn --format onnx`.
std::vector<const char*> with_implied_verb(const CLI::App& app, ProcessArguments arguments) {
    std::vector<const char*> words(arguments.values, arguments.values + arguments.count);
    if (words.size() < 3 || std::string_view(words[1]) != "export") return words;
    std::vector<std::string> known = verb_names(*app.get_subcommand("export"));
    known.insert(known.end(), {"-h", "--help"});
    if (std::find(known.begin(), known.end(), words[2]) != known.end()) return words;
    // The weights of a run need a format: without it, a word like a verb's is meant for one.
    const bool has_format = std::any_of(words.begin(), words.end(), [](const char* word) {
        return std::string_view(word).starts_with("--format");
    });
    if (!has_format) check_near_verb(*app.get_subcommand("export"), words[2]);
    words.insert(words.begin() + 2, "weights");
    return words;
}

}  // namespace

Action parse_command_line(ProcessArguments arguments) {
    CLI::App app{
        "Trains and compares CNNs on CPU clusters, with the same bits on any number of ranks",
        "lockstep"};
    declare_program(app);
    Action chosen;
    add_verbs({app, arguments, chosen});
    add_help(app, chosen);
    add_completion(app, chosen);
    add_man(app, chosen);
    check_verb(app, arguments);
    check_values(app, arguments);
    try {
        const std::vector<const char*> words = with_implied_verb(app, arguments);
        app.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::CallForHelp&) {
        return helping(app.help());
    } catch (const CLI::CallForVersion& version) {
        return printing(std::string(version.what()) + "\n");
    } catch (const CLI::ExtrasError&) {
        throw unexpected(app);
    } catch (const CLI::RequiredError& error) {
        throw missing_word(app, error.what());
    } catch (const CLI::ArgumentMismatch& error) {
        throw wrong_count(app, error.what());
    } catch (const CLI::ParseError& error) {
        const std::string verb = full_name(parsed_verb(app));
        throw UsageError(fmt::format("{}; `lockstep {}--help` explains", error.what(),
                                     verb == "lockstep" ? "" : verb + " "));
    }
    return chosen;
}

}  // namespace lockstep::pipeline
