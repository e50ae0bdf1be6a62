#include "pipeline/command_line/number_options.hpp"
#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/doctor.hpp"
#include "pipeline/verbs/fsck.hpp"
#include "pipeline/verbs/gc.hpp"
#include "pipeline/verbs/rm.hpp"
#include "pipeline/verbs/tag.hpp"

namespace lockstep::pipeline {
namespace {

void declare_fsck(CLI::App& verb, FsckOptions& fsck) {
    verb.add_flag("--repair", fsck.repairs, "mend what can be mended; nothing of use is deleted");
    add_store(verb, fsck.store);
    add_format(verb, fsck.format);
}

void add_consent(CLI::App& verb, ConsentOptions& consent) {
    verb.add_flag("--dry-run", consent.is_dry_run, "only list what would be removed");
    verb.add_flag("-y,--yes", consent.is_given,
                  "remove it without asking; without a terminal nothing is removed otherwise");
}

void declare_rm(CLI::App& verb, RmOptions& rm) {
    add_positional(verb, "RUN", rm.runs, "ids, unique beginnings of ids, or names");
    verb.add_option("--experiment", rm.experiment, "runs of this experiment")->type_name("NAME");
    verb.add_flag("--failed", rm.is_failed_only, "runs that failed");
    add_where(verb, rm.where, "runs of which this holds: SQL over the columns of `ls`");
    add_consent(verb, rm.consent);
    add_store(verb, rm.store);
    add_format(verb, rm.format);
}

void declare_gc(CLI::App& verb, GcOptions& gc) {
    add_list(verb, "--keep", gc.kept, "KIND",
             "leave this kind: previous, checkpoint, temporary, orphan or database; may be "
             "repeated");
    add_consent(verb, gc.consent);
    add_store(verb, gc.store);
    add_format(verb, gc.format);
}

void declare_tag(CLI::App& verb, TagOptions& tag) {
    add_required(verb, "RUN", tag.words,
                 "ids, unique beginnings of ids, or names; +TAG adds a tag");
    add_list(verb, "--remove", tag.removed, "TAG", "take this tag away; may be repeated");
    verb.add_option("--note", tag.note, "a note, in the place of the one before; \"\" for none")
        ->type_name("TEXT");
    add_store(verb, tag.store);
    add_format(verb, tag.format);
}

void declare_doctor(CLI::App& verb, DoctorOptions& doctor) {
    add_positional(verb, "FILE", doctor.spec.file, "the experiment file that is to be trained");
    add_list(verb, "--only", doctor.spec.only, "NAME", "only this run of the file");
    add_settings(verb, doctor.spec.settings, doctor.spec.data);
    add_whole(verb, "--ranks", doctor.ranks, kRankCounts,
              "ranks of the job; one per core unless given");
    add_store(verb, doctor.store);
    add_format(verb, doctor.format);
}

}  // namespace

void add_care_verbs(VerbList& verbs) {
    verbs.add<FsckOptions>(
        {"fsck", "check a store: database, files, states; --repair mends it",
         "  lockstep fsck\n  lockstep fsck --repair --store /scratch/me/lockstep-store\n"
         "Ends with 65 where something is wrong, and stays wrong.\n"},
        declare_fsck, fsck);
    verbs.add<RmOptions>(
        {"rm", "remove runs from the store, rows and files",
         "  lockstep rm vgg-bn                     asks on a terminal, else a dry run\n"
         "  lockstep rm --experiment tutorials --yes\n"
         "  lockstep rm --failed --where \"created_utc < '2026-03-01'\" --dry-run\n"},
        declare_rm, rm);
    verbs.add<GcOptions>(
        {"gc", "free space: checkpoints of finished runs, and what belongs to nothing",
         "  lockstep gc                            asks on a terminal, else a dry run\n"
         "  lockstep gc --yes --keep checkpoint\n"
         "Finished runs can still be evaluated, exported and reported, and predict.\n"},
        declare_gc, gc);
    verbs.add<TagOptions>(
        {"tag", "give runs tags and notes: your own words, by which `ls` finds them",
         "  lockstep tag vgg-bn +baseline +paper\n"
         "  lockstep tag vgg-bn --remove paper --note \"before the data were cleaned\"\n"
         "  lockstep tag vgg-bn                    only shows them\n"
         "  lockstep ls --tag baseline\n"},
        declare_tag, tag);
    verbs.add<DoctorOptions>(
        {"doctor", "tell before a job what would hurt it; under mpirun compare its ranks",
         "  lockstep doctor my.toml --data ~/cifar10 --ranks 8\n"
         "  mpirun -n 8 lockstep doctor my.toml      in the job, on all its hosts\n"
         "Ends with 69 where something is a problem.\n"},
        declare_doctor, [arguments = verbs.arguments()](const DoctorOptions& options) {
            return doctor(options, arguments);
        });
}

}  // namespace lockstep::pipeline
