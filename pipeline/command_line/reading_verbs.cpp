#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/ls.hpp"
#include "pipeline/verbs/query.hpp"
#include "pipeline/verbs/show.hpp"
#include "pipeline/verbs/tail.hpp"

namespace lockstep::pipeline {
namespace {

constexpr const char* kRunHelp = "id, unique beginning of an id, or name";

void declare_ls(CLI::App& verb, LsOptions& ls) {
    add_experiment(verb, ls.experiment, "only this experiment's runs");
    verb.add_flag("--experiments", ls.lists_experiments, "list the experiments instead")
        ->excludes(verb.get_option("EXPERIMENT"))
        ->excludes(verb.get_option("--experiment"));
    add_list(verb, "--tag", ls.tags, "TAG", "only runs of this tag; may be repeated");
    add_rows(verb, ls.rows);
    add_store(verb, ls.store);
    add_format(verb, ls.format);
}

void declare_show(CLI::App& verb, ShowOptions& show) {
    add_required(verb, "RUN", show.run, kRunHelp);
    verb.add_flag("-a,--all", show.shows_all,
                  "also its configuration, digests, files and attempts, and every column");
    add_rows(verb, show.rows);
    add_store(verb, show.store);
    add_format(verb, show.format);
}

void declare_query(CLI::App& verb, QueryOptions& query) {
    add_required(verb, "SQL", query.sql, "one statement");
    add_store(verb, query.store);
    add_format(verb, query.format);
}

void declare_tail(CLI::App& verb, TailOptions& tail) {
    add_positional(verb, "RUN", tail.run,
                   "id, unique beginning of an id, or name; without one all that are trained");
    add_store(verb, tail.store);
}

}  // namespace

void add_reading_verbs(VerbList& verbs) {
    verbs.add<LsOptions>(
        {"ls", "list the runs of the store",
         "  lockstep ls\n  lockstep ls --experiments\n  lockstep ls tutorials --format json\n"
         "  lockstep ls --where \"val_accuracy > 0.7 and optimizer = "
         "'adam'\" --sort -test_accuracy\n"
         "  lockstep ls --columns run,optimizer.learning_rate,test_accuracy --sort "
         "batch_size,-test_accuracy --limit 10\n"
         "  lockstep ls --tag baseline\n"
         "Every effective setting is a column: --columns all, docs/settings.md\n"},
        declare_ls, ls);
    verbs.add<ShowOptions>(
        {"show",
         "show one run: figures, curves, epochs; --all of it: configuration, attempts, files",
         "  lockstep show vgg-bn\n  lockstep show vgg-bn --all\n  lockstep show vgg-bn-1f3a "
         "--format json\n"
         "  lockstep show vgg-bn --format csv > epochs.csv     its epochs alone\n"
         "  lockstep show vgg-bn --where \"val_accuracy > 0.7\" --sort -val_accuracy "
         "--columns epoch,val_accuracy\n"},
        declare_show, show);
    verbs.add<QueryOptions>(
        {"query", "ask the run database in SQL; reads only",
         "  lockstep query \"select * from v_best\"\n"
         "  lockstep query \"select name, epoch, val_accuracy from v_epochs\" --format csv\n"
         "  lockstep query \"pragma table_info(v_runs)\"      its columns\n"
         "Views: v_runs, v_epochs, v_best, v_settings, v_compare; docs/database_schema.md\n"},
        declare_query, query);
    verbs.add<TailOptions>({"tail", "follow trainings that go on elsewhere",
                            "  lockstep tail\n"
                            "  lockstep tail vgg-bn\n"
                            "  lockstep tail vgg-bn --store /scratch/me/lockstep-store\n"
                            "Ends with the run, or with Ctrl-C; the training goes on.\n"},
                           declare_tail, tail);
}

}  // namespace lockstep::pipeline
