#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/compare.hpp"
#include "pipeline/verbs/diff.hpp"
#include "pipeline/verbs/merge.hpp"
#include "pipeline/verbs/report.hpp"

namespace lockstep::pipeline {
namespace {

void declare_compare(CLI::App& verb, CompareOptions& compare) {
    add_positional(verb, "RUN", compare.runs,
                   "ids, beginnings of ids, names, or experiments; all if none");
    verb.add_option("--experiment", compare.experiment, "all runs of this experiment")
        ->type_name("NAME");
    add_list(verb, "--tag", compare.tags, "TAG", "only runs of this tag; may be repeated");
    add_choice<ComparedBy>(verb, "--by", compare.by,
                           {{"run", ComparedBy::run}, {"architecture", ComparedBy::architecture}},
                           "a row a run, or a row for all seeds of an architecture");
    verb.add_option("--baseline", compare.baseline,
                    "a row: a column tells how far the others' test accuracy is above its")
        ->type_name("NAME");
    add_rows(verb, compare.rows);
    add_store(verb, compare.store);
    add_format(verb, compare.format);
}

void declare_diff(CLI::App& verb, DiffOptions& diff) {
    add_required(verb, "FIRST", diff.first,
                 "id, beginning of an id, or name: a run, or all seeds of an architecture");
    add_required(verb, "SECOND", diff.second, "what to set against it");
    add_store(verb, diff.store);
    add_format(verb, diff.format);
}

void declare_report(CLI::App& verb, ReportOptions& report) {
    add_positional(verb, "EXPERIMENT", report.experiments,
                   "one or several; needed where the store has several");
    add_list(verb, "--experiment", report.experiments, "NAME", "the same; may be repeated");
    verb.get_option("--experiment")->excludes(verb.get_option("EXPERIMENT"));
    add_where(verb, report.where,
              "only these runs: an SQL expression over columns and settings, as of ls");
    verb.add_option("--out", report.out, "the folder of the files; in reports/ of the store")
        ->type_name("DIR");
    add_store(verb, report.store);
}

void declare_merge(CLI::App& verb, MergeOptions& merge) {
    add_required(verb, "FROM", merge.from, "folders of results");
    add_store(verb, merge.store);
}

}  // namespace

void add_comparing_verbs(VerbList& verbs) {
    verbs.add<CompareOptions>(
        {"compare", "set runs side by side, with what their sources printed",
         "  lockstep compare\n  lockstep compare vgg-bn conv32-64-64 --format md\n"
         "  lockstep compare --experiment tutorials --format csv\n"
         "  lockstep compare --by architecture     means and intervals over seeds\n"
         "  lockstep compare --baseline vgg-bn --where \"batch_size = 32\" --sort "
         "-test_accuracy\n"},
        declare_compare, [](const CompareOptions& options) { return compare(options); });
    verbs.add<DiffOptions>(
        {"diff", "what differs between two runs or architectures: settings, and figures",
         "  lockstep diff vgg-bn vgg-bn-batch_size128\n"
         "  lockstep diff vgg-bn-1f3a vgg-bn-77c0 --format md\n"
         "  lockstep diff vgg-bn conv32-64-64     where names have several seeds: which is "
         "better\n"},
        declare_diff, diff);
    verbs.add<ReportOptions>({"report", "write a report of experiments: HTML, Markdown and CSV",
                              "  lockstep report tutorials\n"
                              "  lockstep report tutorials --out ~/public_html/tutorials\n"
                              "  lockstep report first second\n"
                              "  lockstep report sweep --where \"optimizer.momentum = 0.9\"\n"},
                             declare_report, report);
    verbs.add<MergeOptions>(
        {"merge", "bring the runs of other stores into one",
         "  lockstep merge /scratch/a/lockstep-store /scratch/b/lockstep-store --store all\n"
         "Doing it again changes nothing. Of a run that both have the one that is further is "
         "kept.\n"},
        declare_merge, [](const MergeOptions& options) { return merge(options); });
}

}  // namespace lockstep::pipeline
