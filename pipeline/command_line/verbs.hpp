#pragma once

// Verbs as the parser knows them. A family of verbs is one file beside this one, with one function
// that adds them; a verb's options and its work stand in pipeline/verbs/. A new verb touches its
// file there and its family's file here.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "pipeline/ranks/launcher.hpp"

namespace lockstep::pipeline {

// What the command line asks for; returns the exit code.
using Action = std::function<int()>;

// Their heading in help.
inline constexpr const char* kVerbs = "Verbs";

// How a verb is shown in help.
struct VerbText {
    std::string name;
    std::string help;
    std::string examples;  // lines, each with its newline
};

// Where families add their verbs. The parsed verb leaves its action in `chosen`; nothing is done
// while the line is still being read.
class VerbList {
public:
    VerbList(CLI::App& app, ProcessArguments arguments, Action& chosen)
        : app_(app), arguments_(arguments), chosen_(chosen) {}

    CLI::App& app() { return app_; }
    ProcessArguments arguments() const { return arguments_; }  // of the process

    // Adds a verb that is done by `work(options)`. `declare(verb, options)` adds its options; they
    // live as long as the parser.
    template <class Options, class Declare, class Work>
    void add(const VerbText& text, Declare declare, Work work) {
        CLI::App& verb = *app_.add_subcommand(text.name, text.help)->group(kVerbs);
        verb.footer("Examples:\n" + text.examples);
        const auto options = std::make_shared<Options>();
        declare(verb, *options);
        let_last_mention_win(verb);
        verb.final_callback([options, work, &chosen = chosen_] {
            chosen = [options, work] { return work(*options); };
        });
    }

    // Adds a verb that stands for verbs below it (`export weights`), and returns their list.
    VerbList add_group(const VerbText& text) {
        CLI::App& verb = *app_.add_subcommand(text.name, text.help)->group(kVerbs);
        verb.footer("Examples:\n" + text.examples);
        verb.require_subcommand(1);
        return {verb, arguments_, chosen_};
    }

private:
    // As shells and scripts expect that add options to a line: `--ranks 4 ... --ranks 2` is 2. But
    // of two experiments none is left out in silence.
    static void let_last_mention_win(CLI::App& verb) {
        for (CLI::Option* option : verb.get_options()) {
            const bool is_list = option->get_expected_max() > 1;
            const bool chooses_rows = option->check_lname("experiment");
            if (!option->get_positional() && !is_list && !chooses_rows) option->take_last();
        }
    }

    CLI::App& app_;
    ProcessArguments arguments_;
    Action& chosen_;
};

void add_training_verbs(VerbList& verbs);   // run, validate, plan, summary
void add_reading_verbs(VerbList& verbs);    // ls, show, query, tail
void add_comparing_verbs(VerbList& verbs);  // compare, diff, report
void add_inference_verbs(VerbList& verbs);  // evaluate, predict
void add_export_verbs(VerbList& verbs);     // export weights, runs, epochs, tensorboard
void add_care_verbs(VerbList& verbs);       // fsck, gc, rm, tag, doctor
void add_bench_verbs(VerbList& verbs);      // bench allreduce, kernels, step

}  // namespace lockstep::pipeline
