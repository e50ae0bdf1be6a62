#include "pipeline/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "pipeline/failure.hpp"
#include "pipeline/suggestion.hpp"
#include "pipeline/version.hpp"

namespace lockstep::pipeline {
namespace {

// ---- options that several verbs have ---------------------------------------------------------

// A word out of a few.
template <class Value>
struct Choice {
    std::string word;
    Value value;
};

template <class Value>
void add_choice(CLI::App& verb, const std::string& name, Value& value,
                const std::vector<Choice<Value>>& choices, const std::string& help) {
    std::string words;
    for (const Choice<Value>& choice : choices) words += (words.empty() ? "" : "|") + choice.word;
    const auto choose = [&value, choices, name, words](const std::string& word) {
        for (const Choice<Value>& choice : choices) {
            if (choice.word == word) return static_cast<void>(value = choice.value);
        }
        throw CLI::ValidationError(name, fmt::format("\"{}\" is none of {}", word, words));
    };
    verb.add_option_function<std::string>(name, choose, help)
        ->type_name(words)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_format(CLI::App& verb, reports::TableFormat& format) {
    using reports::TableFormat;
    add_choice<TableFormat>(verb, "--format", format,
                            {{"table", TableFormat::table},
                             {"csv", TableFormat::csv},
                             {"json", TableFormat::json},
                             {"md", TableFormat::md}},
                            "how to print");
}

// Each mention takes one value: `--only a --only b FILE`.
void add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
              const std::string& value_name, const std::string& help) {
    verb.add_option(name, values, help)->type_name(value_name)->allow_extra_args(false);
}

void add_store(CLI::App& verb, std::filesystem::path& store) {
    verb.add_option("--store", store, "the folder of results")
        ->type_name("DIR")
        ->default_str(kDefaultStore);
}

void add_settings(CLI::App& verb, std::vector<std::string>& settings,
                  std::optional<std::filesystem::path>& data) {
    add_list(verb, "--set", settings, "KEY=VALUE",
             "change a setting of every run, as train.epochs=2; of one run, as "
             "run.NAME.train.epochs=2");
    verb.add_option("--data", data, "where the data set lies (data.path)")->type_name("DIR");
}

void add_spec(CLI::App& verb, SpecOptions& spec) {
    verb.add_option("FILE", spec.file, "the experiment file")->required()->type_name("");
    add_list(verb, "--only", spec.only, "NAME", "only this run of the file; may be repeated");
    add_settings(verb, spec.settings, spec.data);
}

// ---- verbs -----------------------------------------------------------------------------------

// The parser and the values it fills.
struct Parser {
    CLI::App app{
        "Trains and compares CNNs on CPU clusters, with the same bits on any number of ranks",
        "lockstep"};
    RunOptions run{};
    bool is_quiet = false;
    bool is_rank = false;
    ValidateOptions validate{};
    PlanOptions plan{};
    SummaryOptions summary{};
    LsOptions ls{};
    ShowOptions show{};
    CompareOptions compare{};
    QueryOptions query{};
    EvaluateOptions evaluate{};
    BenchAllreduceOptions bench{};

    Parser();
    void add_run();
    void add_file_verbs();
    void add_reading_verbs();
    void add_evaluate();
    void add_bench();
    CLI::App& add_verb(const std::string& name, const std::string& help,
                       const std::string& examples);
    Command command() const;
};

CLI::App& Parser::add_verb(const std::string& name, const std::string& help,
                           const std::string& examples) {
    CLI::App* verb = app.add_subcommand(name, help);
    verb->footer("Examples:\n" + examples);
    return *verb;
}

void Parser::add_run() {
    CLI::App& verb = add_verb("run", "train what is not yet finished",
                              "  lockstep run experiments/tutorials.toml\n"
                              "  lockstep run experiments/tutorials.toml --ranks 4 --only vgg-bn\n"
                              "  lockstep run my.toml --set train.epochs=2 --data ~/cifar10\n"
                              "  mpirun -n 8 lockstep run my.toml      in a batch job\n");
    add_spec(verb, run.spec);
    add_store(verb, run.store);
    verb.add_option("--ranks", run.ranks,
                    "ranks to start; one per core, at most one per shard, unless given")
        ->type_name("N")
        ->check(CLI::Range(1, 65536));
    verb.add_flag("--fresh", run.is_fresh, "train anew what is finished or begun");
    verb.add_flag("--retry-failed", run.retries_failed, "train failed runs anew");
    verb.add_flag("--dry-run", run.is_dry_run, "print the plan and stop");
    verb.add_flag("--quiet,-q", is_quiet, "show errors and results alone");
    add_choice<ProgressMode>(verb, "--progress", run.progress,
                             {{"auto", ProgressMode::automatic},
                              {"bar", ProgressMode::bar},
                              {"plain", ProgressMode::plain},
                              {"none", ProgressMode::none}},
                             "how to show progress");
    // Between this program and the ranks it starts; in no help.
    verb.add_flag("--as-rank", is_rank)->group("");
    add_choice<ColorMode>(verb, "--color", run.color,
                          {{"auto", ColorMode::automatic},
                           {"always", ColorMode::always},
                           {"never", ColorMode::never}},
                          "colours");
}

void Parser::add_file_verbs() {
    CLI::App& validate_verb =
        add_verb("validate", "check an experiment file; list all its errors",
                 "  lockstep validate my.toml\n  lockstep validate my.toml --set train.epochs=0\n");
    add_spec(validate_verb, validate.spec);
    CLI::App& plan_verb =
        add_verb("plan", "list the runs a file expands to, with their cost",
                 "  lockstep plan my.toml\n  lockstep plan my.toml --format csv\n");
    add_spec(plan_verb, plan.spec);
    add_format(plan_verb, plan.format);
    CLI::App& summary_verb =
        add_verb("summary", "print Keras' model summary of a file's architectures",
                 "  lockstep summary my.toml\n  lockstep summary my.toml --only vgg-bn\n");
    add_spec(summary_verb, summary.spec);
}

void Parser::add_reading_verbs() {
    CLI::App& ls_verb = add_verb("ls", "list the runs of the store",
                                 "  lockstep ls\n  lockstep ls tutorials --format json\n");
    ls_verb.add_option("EXPERIMENT", ls.experiment, "only this experiment's runs")->type_name("");
    add_store(ls_verb, ls.store);
    add_format(ls_verb, ls.format);

    CLI::App& show_verb =
        add_verb("show", "show all of one run: configuration, epochs, attempts, files, events",
                 "  lockstep show vgg-bn\n  lockstep show vgg-bn-1f3a --format json\n"
                 "  lockstep show vgg-bn --format csv > epochs.csv     its epochs alone\n");
    show_verb.add_option("RUN", show.run, "id, unique beginning of an id, or name")
        ->required()
        ->type_name("");
    add_store(show_verb, show.store);
    add_format(show_verb, show.format);

    CLI::App& compare_verb =
        add_verb("compare", "set runs side by side, with what their sources printed",
                 "  lockstep compare\n  lockstep compare vgg-bn conv32-64-64 --format md\n"
                 "  lockstep compare --experiment tutorials --format csv\n");
    compare_verb.add_option("RUN", compare.runs, "ids, beginnings of ids, or names; all if none")
        ->type_name("");
    compare_verb.add_option("--experiment", compare.experiment, "all runs of this experiment")
        ->type_name("NAME");
    add_store(compare_verb, compare.store);
    add_format(compare_verb, compare.format);

    CLI::App& query_verb = add_verb(
        "query", "ask the run database in SQL; reads only",
        "  lockstep query \"select * from v_best\"\n"
        "  lockstep query \"select name, epoch, val_accuracy from v_epochs\" --format csv\n");
    query_verb.add_option("SQL", query.sql, "one statement")->required()->type_name("");
    add_store(query_verb, query.store);
    add_format(query_verb, query.format);
}

void Parser::add_evaluate() {
    CLI::App& verb = add_verb(
        "evaluate", "loss and accuracy of saved weights on a data set",
        "  lockstep evaluate vgg-bn\n"
        "  lockstep evaluate lockstep-store/runs/vgg-bn-1f3a5c7e/best.h5 --split validation\n"
        "  lockstep evaluate keras-model.h5 --file my.toml --run vgg-bn --data ~/cifar10\n");
    verb.add_option("RUN_OR_WEIGHTS", evaluate.subject, "a run of the store, or a Keras .h5 file")
        ->required()
        ->type_name("");
    verb.add_option("--file", evaluate.file,
                    "the experiment file with the network of a weights file")
        ->type_name("FILE");
    verb.add_option("--run", evaluate.run, "the run of that file")->type_name("NAME");
    add_settings(verb, evaluate.settings, evaluate.data);
    add_choice<EvaluatedSplit>(verb, "--split", evaluate.split,
                               {{"test", EvaluatedSplit::test},
                                {"validation", EvaluatedSplit::validation},
                                {"training", EvaluatedSplit::training}},
                               "which samples");
    add_store(verb, evaluate.store);
    add_format(verb, evaluate.format);
}

void Parser::add_bench() {
    CLI::App& verb = add_verb("bench", "measure this machine",
                              "  lockstep bench allreduce --ranks 2\n"
                              "  mpirun -n 8 lockstep bench allreduce --format csv\n");
    verb.require_subcommand(1);
    CLI::App* allreduce =
        verb.add_subcommand("allreduce", "the exchanges of gradients against MPI_Allreduce");
    allreduce->footer("Examples:\n  lockstep bench allreduce --ranks 2 --counts 122570,552362\n");
    allreduce->add_option("--counts", bench.benchmark.counts, "floats of a gradient")
        ->type_name("N,...")
        ->delimiter(',')
        ->check(CLI::NonNegativeNumber);
    allreduce->add_option("--repeats", bench.benchmark.repeats, "times each exchange is measured")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    allreduce->add_option("--shards", bench.benchmark.shards, "shards over all ranks")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    allreduce->add_option("--ranks", bench.ranks, "ranks to start; one per core unless given")
        ->type_name("N")
        ->check(CLI::Range(1, 65536));
    add_format(*allreduce, bench.benchmark.format);
}

Parser::Parser() {
    app.set_version_flag("--version", "lockstep " + lockstep_version());
    app.require_subcommand(1);
    app.footer(
        "Examples:\n"
        "  lockstep run experiments/tutorials.toml     trains, on all cores\n"
        "  lockstep compare                            sets the results side by side\n"
        "  lockstep VERB --help                        options and examples of a verb");
    add_run();
    add_file_verbs();
    add_reading_verbs();
    add_evaluate();
    add_bench();
}

Command Parser::command() const {
    const std::string verb = app.get_subcommands().front()->get_name();
    if (verb == "run") {
        RunOptions options = run;
        if (is_quiet) options.progress = ProgressMode::quiet;
        if (is_rank) options.progress = ProgressMode::protocol;
        return options;
    }
    if (verb == "validate") return validate;
    if (verb == "plan") return plan;
    if (verb == "summary") return summary;
    if (verb == "ls") return ls;
    if (verb == "show") return show;
    if (verb == "compare") return compare;
    if (verb == "query") return query;
    if (verb == "evaluate") return evaluate;
    return bench;
}

// ---- what was meant --------------------------------------------------------------------------

std::vector<std::string> verb_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(verb->get_name());
    }
    return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

std::string meant(std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    return did_you_mean(word, views);
}

// CLI11 would say that a verb is missing.
void check_verb(const CLI::App& app, ProcessArguments arguments) {
    if (arguments.count < 2) {
        throw UsageError("which verb? `lockstep --help` lists them");
    }
    const std::string_view word = arguments.values[1];
    const bool is_option = word.starts_with("-");
    const auto names = is_option ? option_names(app) : verb_names(app);
    for (const std::string& name : names) {
        if (name == word || word == "-h") return;
    }
    throw UsageError(fmt::format("unknown {} \"{}\"{}; `lockstep --help` lists the verbs",
                                 is_option ? "option" : "verb", word, meant(word, names)));
}

// The innermost verb that was found.
const CLI::App& parsed_verb(const CLI::App& app) {
    const auto verbs = app.get_subcommands();
    return verbs.empty() ? app : parsed_verb(*verbs.front());
}

UsageError unexpected(const CLI::App& app) {
    const CLI::App& verb = parsed_verb(app);
    const std::vector<std::string> extras = app.remaining(true);
    const std::string word = extras.empty() ? "" : extras.front();
    const std::string option = word.substr(0, word.find('='));
    const bool is_option = word.starts_with("-");
    return UsageError(fmt::format(
        "{} \"{}\"{}; `lockstep {} --help` explains the verb",
        is_option ? "unknown option" : "unexpected argument", is_option ? option : word,
        is_option ? meant(option, option_names(verb)) : "",
        verb.get_parent() == &app || &verb == &app ? verb.get_name() : "bench " + verb.get_name()));
}

}  // namespace

Command parse_command_line(ProcessArguments arguments) {
    Parser parser;
    check_verb(parser.app, arguments);
    try {
        parser.app.parse(arguments.count, arguments.values);
    } catch (const CLI::CallForHelp&) {
        return TextRequest{parser.app.help()};
    } catch (const CLI::CallForVersion& version) {
        return TextRequest{std::string(version.what()) + "\n"};
    } catch (const CLI::ExtrasError&) {
        throw unexpected(parser.app);
    } catch (const CLI::ParseError& error) {
        const std::string verb = parsed_verb(parser.app).get_name();
        throw UsageError(fmt::format("{}; `lockstep {}--help` explains", error.what(),
                                     verb == "lockstep" ? "" : verb + " "));
    }
    return parser.command();
}

}  // namespace lockstep::pipeline
