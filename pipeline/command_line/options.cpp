#include "pipeline/command_line/options.hpp"

#include <cstdlib>
#include <optional>
#include <string>

#include "pipeline/command_line/number_options.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {
namespace {

// An empty word is what a shell makes of a variable that is not set.
CLI::Validator names_a_path() {
    return {[](const std::string& path) {
                return path.empty() ? std::string("the path is empty") : std::string();
            },
            ""};
}

// A shell expands "~" where it begins a word: not in --store=~/results.
std::string in_home(const std::string& path) {
    const char* const home = std::getenv("HOME");
    return with_home(path, home ? std::optional<std::string>(home) : std::nullopt);
}

}  // namespace

void add_format(CLI::App& verb, reports::TableFormat& format) {
    using reports::TableFormat;
    add_choice<TableFormat>(verb, "--format", format,
                            {{"table", TableFormat::table},
                             {"csv", TableFormat::csv},
                             {"json", TableFormat::json},
                             {"md", TableFormat::md}},
                            "how to print");
}

void add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
              const std::string& value_name, const std::string& help) {
    verb.add_option(name, values, help)->type_name(value_name)->allow_extra_args(false);
}

void add_store(CLI::App& verb, std::filesystem::path& store) {
    const auto set_store = [&store](const std::string& path) { store = in_home(path); };
    verb.add_option_function<std::string>("--store", set_store, "the folder of results")
        ->type_name("DIR")
        ->default_str(kDefaultStore)
        ->check(names_a_path());
}

void add_experiment(CLI::App& verb, std::string& experiment, const std::string& help) {
    add_positional(verb, "EXPERIMENT", experiment, help);
    verb.add_option("--experiment", experiment, "the same")
        ->type_name("NAME")
        ->excludes(verb.get_option("EXPERIMENT"));
}

void add_where(CLI::App& verb, std::string& where, const std::string& help) {
    const auto join = [&where](const std::vector<std::string>& conditions) {
        where = conditions.size() == 1 ? conditions.front() : "";
        for (std::size_t i = 0; conditions.size() > 1 && i < conditions.size(); ++i)
            where += fmt::format("{}(\n{}\n)", i == 0 ? "" : " and ", conditions[i]);
    };
    verb.add_option_function<std::vector<std::string>>("--where", join, help)
        ->type_name("EXPRESSION")
        ->allow_extra_args(false);
}

void add_rows(CLI::App& verb, RowOptions& rows) {
    add_where(verb, rows.where, "only these rows: an SQL expression over the columns");
    verb.add_option("--sort", rows.sort, "columns to sort by; -COLUMN from high to low")
        ->type_name("COLUMN,...")
        ->delimiter(',')
        ->allow_extra_args(false);
    verb.add_option("--columns", rows.columns, "columns to show, in this order")
        ->type_name("COLUMN,...")
        ->delimiter(',')
        ->allow_extra_args(false);
    add_whole<std::int64_t>(verb, "--limit", rows.limit, {}, "rows to show at most");
}

void add_settings(CLI::App& verb, std::vector<std::string>& settings,
                  std::optional<std::filesystem::path>& data) {
    add_list(verb, "--set", settings, "KEY=VALUE",
             "change a setting of every run, as train.epochs=2; of one run, as "
             "run.NAME.train.epochs=2");
    const auto set_data = [&data](const std::string& path) { data = in_home(path); };
    verb.add_option_function<std::string>("--data", set_data,
                                          "where the data set lies: a folder, of arrays a file "
                                          "(data.path)")
        ->type_name("PATH")
        ->check(names_a_path());
}

void add_spec(CLI::App& verb, SpecOptions& spec) {
    verb.add_option("FILE", spec.file, "the experiment file")->required()->type_name("");
    add_list(verb, "--only", spec.only, "NAME", "only this run of the file; may be repeated");
    add_settings(verb, spec.settings, spec.data);
}

void add_saved_network(CLI::App& verb, SavedNetworkOptions& network) {
    verb.add_option("RUN_OR_WEIGHTS", network.subject,
                    "a run of the store, or a Keras .h5 or .keras file")
        ->required()
        ->type_name("");
    verb.add_option("--weights", network.weights,
                    "which weights of the run; those of a file are read into its network")
        ->type_name("final|best|FILE");
    verb.add_option(
            "--file", network.file,
            "the experiment file with the network of a weights file; a whole model needs none")
        ->type_name("FILE");
    verb.add_option("--run", network.run, "the run of that file")->type_name("NAME");
    add_settings(verb, network.settings, network.data);
    add_store(verb, network.store);
}

}  // namespace lockstep::pipeline
