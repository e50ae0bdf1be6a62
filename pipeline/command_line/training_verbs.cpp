#include "pipeline/command_line/number_options.hpp"
#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/plan.hpp"
#include "pipeline/verbs/preview.hpp"
#include "pipeline/verbs/run.hpp"
#include "pipeline/verbs/summary.hpp"
#include "pipeline/verbs/validate.hpp"

namespace lockstep::pipeline {
namespace {

void declare_run(CLI::App& verb, RunOptions& run) {
    add_spec(verb, run.spec);
    add_store(verb, run.store);
    add_whole(verb, "--ranks", run.ranks, kRankCounts,
              "ranks to start; one per core, at most one per shard, unless given");
    verb.add_option(
            "--hostfile", run.hostfile,
            "start them on its hosts, a line each: node1 slots=8; unless given on this one, "
            "or those of the batch job")
        ->type_name("FILE");
    add_duration(verb, "--max-walltime", run.max_walltime,
                 "stop in time before so much is over, as if by a signal: 30m, 4h, 04:00:00");
    add_whole(verb, "--max-restarts", run.max_restarts, {0, 1'000'000},
              "starts of the ranks after some were lost, 3 unless given");
    add_duration(verb, "--stall-timeout", run.stall_timeout,
                 "end ranks that make no progress for so long: 90s, 10m; unless given twenty times "
                 "the longest step, at least a minute; ten minutes on disks, and in a first step");
    verb.add_flag("--fresh", run.is_fresh, "train anew what is finished or begun");
    verb.add_flag("--retry-failed", run.retries_failed, "train failed runs anew");
    verb.add_flag("--dry-run", run.is_dry_run, "print the plan and stop");
    verb.add_flag("--quiet,-q", run.is_quiet, "show errors and results alone");
    add_choice<ProgressMode>(verb, "--progress", run.progress,
                             {{"auto", ProgressMode::automatic},
                              {"bar", ProgressMode::bar},
                              {"plain", ProgressMode::plain},
                              {"none", ProgressMode::none}},
                             "how to show progress");
    // Between this program and the ranks it starts; in no help.
    verb.add_flag("--as-rank", run.is_rank)->group("");
    add_choice<ColorMode>(verb, "--color", run.color,
                          {{"auto", ColorMode::automatic},
                           {"always", ColorMode::always},
                           {"never", ColorMode::never}},
                          "colours");
}

void declare_validate(CLI::App& verb, ValidateOptions& validate) { add_spec(verb, validate.spec); }

void declare_plan(CLI::App& verb, PlanOptions& plan) {
    add_spec(verb, plan.spec);
    add_whole(verb, "--ranks", plan.ranks, kRankCounts,
              "ranks to plan for: memory of a rank (one unless given), and runs side by side "
              "(one rank per core unless given)");
    add_format(verb, plan.format);
}

void declare_preview(CLI::App& verb, PreviewOptions& preview) {
    add_spec(verb, preview.spec);
    verb.add_option("--out", preview.out, "the picture; preview.png unless given")
        ->type_name("FILE");
    add_whole(verb, "--images", preview.images, {1, 100},
              "training images, a row each; 8 unless given");
    add_whole(verb, "--epochs", preview.epochs, {1, 100}, "epochs, a column each; 8 unless given");
}

void declare_summary(CLI::App& verb, SummaryOptions& summary) { add_spec(verb, summary.spec); }

}  // namespace

void add_training_verbs(VerbList& verbs) {
    verbs.add<RunOptions>({"run", "train what is not yet finished",
                           "  lockstep run experiments/tutorials.toml\n"
                           "  lockstep run experiments/tutorials.toml --ranks 4 --only vgg-bn\n"
                           "  lockstep run my.toml --set train.epochs=2 --data ~/cifar10\n"
                           "  mpirun -n 8 lockstep run my.toml      in a batch job\n"},
                          declare_run, [arguments = verbs.arguments()](const RunOptions& options) {
                              return run(options, arguments);
                          });
    verbs.add<ValidateOptions>(
        {"validate", "check an experiment file; list all its errors",
         "  lockstep validate my.toml\n  lockstep validate my.toml --set train.epochs=0\n"},
        declare_validate, validate);
    verbs.add<PlanOptions>({"plan", "list the runs a file expands to, with their cost",
                            "  lockstep plan my.toml\n  lockstep plan my.toml --format csv\n"},
                           declare_plan, [](const PlanOptions& options) { return plan(options); });
    verbs.add<PreviewOptions>(
        {"preview", "draw training images as augmentation changes them",
         "  lockstep preview my.toml\n  lockstep preview my.toml --out grid.png --images 4\n"},
        declare_preview, preview);
    verbs.add<SummaryOptions>(
        {"summary", "print Keras' model summary of a file's architectures",
         "  lockstep summary my.toml\n  lockstep summary my.toml --only vgg-bn\n"},
        declare_summary, summary);
}

}  // namespace lockstep::pipeline
