#include "pipeline/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

#include "pipeline/failure.hpp"
#include "pipeline/suggestion.hpp"
#include "pipeline/version.hpp"
#include "pipeline/words.hpp"

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

// Options of verbs that show rows of a table.
void add_rows(CLI::App& verb, RowOptions& rows) {
    verb.add_option("--where", rows.where, "only these rows: an SQL expression over the columns")
        ->type_name("EXPRESSION");
    verb.add_option("--sort", rows.sort, "columns to sort by; -COLUMN from high to low")
        ->type_name("COLUMN,...")
        ->delimiter(',')
        ->allow_extra_args(false);
    verb.add_option("--columns", rows.columns, "columns to show, in this order")
        ->type_name("COLUMN,...")
        ->delimiter(',')
        ->allow_extra_args(false);
    verb.add_option("--limit", rows.limit, "rows to show at most")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
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
    DiffOptions diff{};
    TailOptions tail{};
    QueryOptions query{};
    EvaluateOptions evaluate{};
    PredictOptions predict{};
    ExportWeightsOptions export_weights{};
    ExportTablesOptions export_runs{};
    ExportTablesOptions export_epochs{};
    ExportTensorboardOptions export_tensorboard{};
    ReportOptions report{};
    BenchAllreduceOptions bench{};

    Parser();
    void add_run();
    void add_file_verbs();
    void add_reading_verbs();
    void add_compare_and_diff();
    void add_tail();
    void add_evaluate();
    void add_predict();
    void add_export();
    void add_export_weights(CLI::App& parent);
    void add_export_tables(CLI::App& parent);
    void add_export_tensorboard(CLI::App& parent);
    void add_report();
    void add_bench();
    CLI::App& add_verb(const std::string& name, const std::string& help,
                       const std::string& examples);
    Command command() const;
    Command export_command() const;
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
                                 "  lockstep ls\n  lockstep ls tutorials --format json\n"
                                 "  lockstep ls --where \"val_accuracy > 0.7 and optimizer = "
                                 "'adam'\" --sort -test_accuracy\n"
                                 "  lockstep ls --columns run,batch_size,test_accuracy --sort "
                                 "batch_size,-test_accuracy --limit 10\n");
    ls_verb.add_option("EXPERIMENT", ls.experiment, "only this experiment's runs")->type_name("");
    add_rows(ls_verb, ls.rows);
    add_store(ls_verb, ls.store);
    add_format(ls_verb, ls.format);

    CLI::App& show_verb =
        add_verb("show", "show all of one run: configuration, epochs, attempts, files, events",
                 "  lockstep show vgg-bn\n  lockstep show vgg-bn-1f3a --format json\n"
                 "  lockstep show vgg-bn --format csv > epochs.csv     its epochs alone\n"
                 "  lockstep show vgg-bn --where \"val_accuracy > 0.7\" --sort -val_accuracy "
                 "--columns epoch,val_accuracy\n");
    show_verb.add_option("RUN", show.run, "id, unique beginning of an id, or name")
        ->required()
        ->type_name("");
    add_rows(show_verb, show.rows);
    add_store(show_verb, show.store);
    add_format(show_verb, show.format);

    CLI::App& query_verb = add_verb(
        "query", "ask the run database in SQL; reads only",
        "  lockstep query \"select * from v_best\"\n"
        "  lockstep query \"select name, epoch, val_accuracy from v_epochs\" --format csv\n");
    query_verb.add_option("SQL", query.sql, "one statement")->required()->type_name("");
    add_store(query_verb, query.store);
    add_format(query_verb, query.format);
}

void Parser::add_compare_and_diff() {
    CLI::App& compare_verb =
        add_verb("compare", "set runs side by side, with what their sources printed",
                 "  lockstep compare\n  lockstep compare vgg-bn conv32-64-64 --format md\n"
                 "  lockstep compare --experiment tutorials --format csv\n"
                 "  lockstep compare --by architecture     means and intervals over seeds\n");
    compare_verb.add_option("RUN", compare.runs, "ids, beginnings of ids, or names; all if none")
        ->type_name("");
    compare_verb.add_option("--experiment", compare.experiment, "all runs of this experiment")
        ->type_name("NAME");
    add_choice<ComparedBy>(
        compare_verb, "--by", compare.by,
        {{"run", ComparedBy::run}, {"architecture", ComparedBy::architecture}},
        "a row a run, or a row for all seeds of an architecture");
    add_store(compare_verb, compare.store);
    add_format(compare_verb, compare.format);

    CLI::App& diff_verb =
        add_verb("diff", "what differs between two runs: settings, and figures beyond seed noise",
                 "  lockstep diff vgg-bn vgg-bn-batch_size128\n"
                 "  lockstep diff vgg-bn-1f3a vgg-bn-77c0 --format md\n");
    diff_verb.add_option("FIRST", diff.first, "id, unique beginning of an id, or name")
        ->required()
        ->type_name("");
    diff_verb.add_option("SECOND", diff.second, "the run to set against it")
        ->required()
        ->type_name("");
    add_store(diff_verb, diff.store);
    add_format(diff_verb, diff.format);
}

void Parser::add_tail() {
    CLI::App& verb = add_verb("tail", "follow a training that goes on elsewhere",
                              "  lockstep tail vgg-bn\n"
                              "  lockstep tail vgg-bn --store /scratch/me/lockstep-store\n"
                              "Ends with the run, or with Ctrl-C; the training goes on.\n");
    verb.add_option("RUN", tail.run, "id, unique beginning of an id, or name")
        ->required()
        ->type_name("");
    add_store(verb, tail.store);
}

// The weights that a verb works on.
void add_saved_network(CLI::App& verb, SavedNetworkOptions& network) {
    verb.add_option("RUN_OR_WEIGHTS", network.subject, "a run of the store, or a Keras .h5 file")
        ->required()
        ->type_name("");
    verb.add_option("--file", network.file,
                    "the experiment file with the network of a weights file")
        ->type_name("FILE");
    verb.add_option("--run", network.run, "the run of that file")->type_name("NAME");
    add_settings(verb, network.settings, network.data);
    add_store(verb, network.store);
}

void Parser::add_evaluate() {
    CLI::App& verb = add_verb(
        "evaluate", "loss and accuracy of saved weights on a data set",
        "  lockstep evaluate vgg-bn\n"
        "  lockstep evaluate lockstep-store/runs/vgg-bn-1f3a5c7e/best.h5 --split validation\n"
        "  lockstep evaluate keras-model.h5 --file my.toml --run vgg-bn --data ~/cifar10\n"
        "  lockstep evaluate vgg-bn --dataset cifar10 --data ~/relabelled     another set, with "
        "the same class names\n");
    add_saved_network(verb, evaluate.network);
    add_choice<EvaluatedSplit>(verb, "--split", evaluate.split,
                               {{"test", EvaluatedSplit::test},
                                {"validation", EvaluatedSplit::validation},
                                {"training", EvaluatedSplit::training}},
                               "which samples");
    const auto choose = [this](const std::string& word) {
        for (const auto& known : kDatasets) {
            if (known.word == word) return static_cast<void>(evaluate.dataset = known.value);
        }
        throw CLI::ValidationError("--dataset", fmt::format("\"{}\" is no data set", word));
    };
    verb.add_option_function<std::string>("--dataset", choose,
                                          "another data set, which lies in --data; its classes are "
                                          "matched by name")
        ->type_name("cifar10|synthetic");
    add_format(verb, evaluate.format);
}

void Parser::add_predict() {
    CLI::App& verb =
        add_verb("predict", "the classes of image files: PNG, JPEG, PPM",
                 "  lockstep predict vgg-bn cat.jpg\n"
                 "  lockstep predict vgg-bn photos/ --top 1 --format csv > classes.csv\n"
                 "  lockstep predict keras-model.h5 --file my.toml --run vgg-bn -- cat.png dog.png\n"
                 "Images are resized to the network's input; files that cannot be read are named, "
                 "and the exit code is 65.\n");
    add_saved_network(verb, predict.network);
    verb.add_option("IMAGE", predict.files, "image files, and folders of them")
        ->required()
        ->type_name("");
    verb.add_option("--top", predict.top, "classes to name for each image")
        ->type_name("K")
        ->check(CLI::Range(1, 1000));
    add_format(verb, predict.format);
}

// What is exported is a verb below this one; `weights` may be left out (with_implied_verb).
void Parser::add_export() {
    CLI::App& verb = add_verb("export", "write results as other programs read them",
                              "  lockstep export weights vgg-bn --format onnx\n"
                              "  lockstep export vgg-bn --format keras          the same verb\n"
                              "  lockstep export epochs --format csv > epochs.csv\n"
                              "  lockstep export tensorboard --out logs\n");
    verb.require_subcommand(1);
    add_export_weights(verb);
    add_export_tables(verb);
    add_export_tensorboard(verb);
}

void Parser::add_export_tables(CLI::App& parent) {
    const auto add = [&](const std::string& name, const std::string& help,
                         ExportTablesOptions& options, ExportedRows kind) {
        options.kind = kind;
        CLI::App& verb = *parent.add_subcommand(name, help);
        verb.footer(fmt::format(
            "Examples:\n  lockstep export {0} --format csv > {0}.csv\n"
            "  lockstep export {0} --experiment tutorials --format json\n",
            name));
        verb.add_option("--experiment", options.experiment, "only this experiment's runs")
            ->type_name("NAME");
        add_choice<reports::TableFormat>(
            verb, "--format", options.format,
            {{"csv", reports::TableFormat::csv}, {"json", reports::TableFormat::json}},
            "how to print");
        verb.add_flag("--for-spreadsheets", options.is_for_spreadsheets,
                      "a ' in front of text that spreadsheets would take for a formula");
        add_store(verb, options.store);
    };
    add("runs", "a row a run: every column of v_runs", export_runs, ExportedRows::runs);
    add("epochs", "a row an epoch: every column of v_epochs", export_epochs,
        ExportedRows::epochs);
}

void Parser::add_export_tensorboard(CLI::App& parent) {
    CLI::App& verb = *parent.add_subcommand("tensorboard", "learning curves for TensorBoard");
    verb.footer(
        "Examples:\n"
        "  lockstep export tensorboard --out logs; tensorboard --logdir logs\n"
        "  lockstep export tensorboard vgg-bn conv32-64-64 --out logs\n");
    verb.add_option("RUN", export_tensorboard.runs, "ids, beginnings of ids, or names; all if none")
        ->type_name("");
    verb.add_option("--experiment", export_tensorboard.experiment, "all runs of this experiment")
        ->type_name("NAME");
    verb.add_option("--out", export_tensorboard.out, "the folder to write into")
        ->required()
        ->type_name("DIR");
    add_store(verb, export_tensorboard.store);
}

void Parser::add_export_weights(CLI::App& parent) {
    CLI::App& verb = *parent.add_subcommand("weights", "a saved network for Keras or ONNX");
    verb.footer(
        "Examples:\n"
        "  lockstep export weights vgg-bn --format onnx\n"
        "  lockstep export weights vgg-bn --format keras --out model.keras\n"
        "  lockstep export weights lockstep-store/runs/vgg-bn-1f3a5c7e/best.h5 --format keras-h5\n"
        "ONNX files scale the pixels themselves; for Keras files the message says how to.\n");
    add_saved_network(verb, export_weights.network);
    add_choice<WeightsFormat>(verb, "--format", export_weights.format,
                              {{"keras-h5", WeightsFormat::keras_h5},
                               {"keras-weights", WeightsFormat::keras_weights},
                               {"keras", WeightsFormat::keras},
                               {"onnx", WeightsFormat::onnx}},
                              "which file");
    verb.get_option("--format")->required();
    verb.add_option("--out", export_weights.out, "the file; the run's name in this folder if none")
        ->type_name("FILE");
}

void Parser::add_report() {
    CLI::App& verb = add_verb("report", "write an experiment's report: HTML, Markdown and CSV",
                              "  lockstep report tutorials\n"
                              "  lockstep report tutorials --out ~/public_html/tutorials\n");
    verb.add_option("EXPERIMENT", report.experiment, "needed where the store has several")
        ->type_name("");
    verb.add_option("--out", report.out, "the folder of the files; reports/EXPERIMENT in the store")
        ->type_name("DIR");
    add_store(verb, report.store);
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
    add_compare_and_diff();
    add_tail();
    add_evaluate();
    add_predict();
    add_export();
    add_report();
    add_bench();
}

Command Parser::export_command() const {
    const std::string what = app.get_subcommand("export")->get_subcommands().front()->get_name();
    if (what == "runs") return export_runs;
    if (what == "epochs") return export_epochs;
    if (what == "tensorboard") return export_tensorboard;
    return export_weights;
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
    if (verb == "diff") return diff;
    if (verb == "tail") return tail;
    if (verb == "query") return query;
    if (verb == "evaluate") return evaluate;
    if (verb == "predict") return predict;
    if (verb == "export") return export_command();
    if (verb == "report") return report;
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

// "bench allreduce"
std::string full_name(const CLI::App& verb) {
    const CLI::App* parent = verb.get_parent();
    const bool is_nested = parent != nullptr && parent->get_parent() != nullptr;
    return is_nested ? parent->get_name() + ' ' + verb.get_name() : verb.get_name();
}

UsageError unexpected(const CLI::App& app) {
    const CLI::App& verb = parsed_verb(app);
    const std::vector<std::string> extras = app.remaining(true);
    const std::string word = extras.empty() ? "" : extras.front();
    const std::string option = word.substr(0, word.find('='));
    const bool is_option = word.starts_with("-");
    return UsageError(
        fmt::format("{} \"{}\"{}; `lockstep {} --help` explains the verb",
                    is_option ? "unknown option" : "unexpected argument", is_option ? option : word,
                    is_option ? meant(option, option_names(verb)) : "", full_name(verb)));
}

// `lockstep export vgg-bn --format onnx` means `lockstep export weights vgg-bn --format onnx`.
std::vector<const char*> with_implied_verb(const CLI::App& app, ProcessArguments arguments) {
    std::vector<const char*> words(arguments.values, arguments.values + arguments.count);
    if (words.size() < 3 || std::string_view(words[1]) != "export") return words;
    std::vector<std::string> known = verb_names(*app.get_subcommand("export"));
    known.insert(known.end(), {"-h", "--help"});
    const bool is_said = std::find(known.begin(), known.end(), words[2]) != known.end();
    if (!is_said) words.insert(words.begin() + 2, "weights");
    return words;
}

}  // namespace

Command parse_command_line(ProcessArguments arguments) {
    Parser parser;
    check_verb(parser.app, arguments);
    try {
        const std::vector<const char*> words = with_implied_verb(parser.app, arguments);
        parser.app.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::CallForHelp&) {
        return TextRequest{parser.app.help()};
    } catch (const CLI::CallForVersion& version) {
        return TextRequest{std::string(version.what()) + "\n"};
    } catch (const CLI::ExtrasError&) {
        throw unexpected(parser.app);
    } catch (const CLI::ParseError& error) {
        const std::string verb = full_name(parsed_verb(parser.app));
        throw UsageError(fmt::format("{}; `lockstep {}--help` explains", error.what(),
                                     verb == "lockstep" ? "" : verb + " "));
    }
    return parser.command();
}

}  // namespace lockstep::pipeline
