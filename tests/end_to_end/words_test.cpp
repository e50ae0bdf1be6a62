// What people mistype, and what they are told.

#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExperiment = R"(schema = 1
[experiment]
name = "words"
[data]
dataset = "synthetic"
training_samples = 160
test_samples = 40
[train]
batch_size = 16
[[run]]
name = "a"
layers = [ { type = "flatten" }, { type = "dense", units = 10, activation = "softmax" } ]
)";

// The experiment with a text in the place of another.
std::string file_with(const TemporaryDirectory& folder, const std::string& from,
                      const std::string& to) {
    std::string text = kExperiment;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    const std::string path = (folder / "words.toml").string();
    std::ofstream(path) << text;
    return path;
}

std::string told(const std::string& from, const std::string& to) {
    const TemporaryDirectory folder;
    const Result result = lockstep({"validate", file_with(folder, from, to)});
    return result.output + result.errors;
}

TEST_CASE("What is mistyped in an experiment file is told with what to write", "[end_to_end]") {
    CHECK(contains(told("\"words\"", "mine"), "a text stands in quotes: \"mine\""));
    CHECK(contains(told("\"flatten\"", "\"maxpool2d\""), "did you mean \"max_pooling2d\"?"));
    CHECK(contains(told("\"dense\"", "\"Dense\""), "did you mean \"dense\"?"));
    CHECK(contains(told("batch_size = 16", "learning_rate = 0.1"),
                   "it belongs to the optimizer: optimizer = { name = ..., learning_rate = ... }"));
    CHECK(contains(told("batch_size = 16", "early_stopping = { monitor = \"val_acc\" }"),
                   "did you mean \"val_accuracy\"?"));
    CHECK(contains(told("batch_size = 16", "early_stopping = { patience = 1 }"),
                   "monitor is \"val_loss\" by default, which needs validation"));
    CHECK(contains(told("\"synthetic\"", "\"cifar10\""),
                   "data.training_samples (words.toml:6) changes nothing"));
}

TEST_CASE("An unknown column is told with the nearest, not with all", "[end_to_end]") {
    const std::string store = finished_store().string();
    const Result unknown = lockstep({"ls", "--columns", "foobarbaz", "--store", store});
    CHECK(unknown.exit_code == 64);
    CHECK(unknown.errors.size() < 150);
    const Result text = lockstep({"ls", "--where", "optimizer = adam", "--store", store});
    CHECK(text.exit_code == 64);
    CHECK(contains(text.errors, "it stands in single quotes: 'adam'"));
    CHECK(text.errors.size() < 250);
}

TEST_CASE("Data that are not there are told before anything is written", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string file = file_with(
        folder, "\"synthetic\"\ntraining_samples = 160\ntest_samples = 40", "\"cifar10\"");
    const std::string nowhere = (folder / "nowhere").string();
    const std::string store = (folder / "store").string();
    for (const std::vector<std::string>& verb : {std::vector<std::string>{"plan", file},
                                                 {"run", file, "--dry-run", "--store", store},
                                                 {"run", file, "--ranks", "1", "--store", store},
                                                 {"run", file, "--ranks", "2", "--store", store}}) {
        std::vector<std::string> words = verb;
        words.insert(words.end(), {"--data", nowhere});
        const Result result = lockstep(words);
        CHECK(result.exit_code == 66);
        for (const std::string part : {"none of the batch files found", "there is no such folder",
                                       "--data", "LOCKSTEP_DATA", "scripts/fetch-cifar10.sh"})
            CHECK(contains(result.errors, part));
        CHECK_FALSE(fs::exists(store));
    }
    CHECK(lockstep({"plan", file}).exit_code == 0);  // whatever lies there
}

TEST_CASE("run tells what plan warns of", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string file = file_with(folder, "softmax", "relu");
    for (const char* const ranks : {"1", "2"}) {
        const Result trained = lockstep(
            {"run", file, "--ranks", ranks, "--store", (folder / "store").string() + ranks});
        CHECK(trained.exit_code == 0);
        CHECK(contains(trained.errors, "warning: a-"));
        CHECK(contains(trained.errors, "ends in a relu"));
        CHECK(contains(trained.output, "The images are synthetic"));
    }
}

TEST_CASE("A path of the home folder is that of the home folder", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string file = file_with(folder, "dataset", "path = \"~/pictures\"\ndataset");
    const std::string home = (folder / "home").string();
    fs::create_directory(home);
    Process process(with_variable(
        "HOME=" + home, lockstep_command({"run", file, "--ranks", "1", "--store=~/results"})));
    CHECK(process.wait() == 0);
    CHECK(fs::exists(fs::path(home) / "results/lockstep.db"));
    Process planned(with_variable(
        "HOME=" + home,
        lockstep_command({"plan", file, "--set", "data.dataset=cifar10", "--data", "~/pictures"})));
    CHECK(planned.wait() == 66);
    CHECK(contains(planned.errors(), "CIFAR-10 in " + home + "/pictures"));
}

TEST_CASE("What is mistyped on the command line is told with what to write", "[end_to_end]") {
    struct Mistake {
        std::vector<std::string> words;
        std::string answer;
    };
    const std::string store = finished_store().string();
    const std::string nowhere = store + "/nowhere";
    for (const Mistake& each : std::vector<Mistake>{
             {{"export", "weights", kOneRun}, "keras-h5|keras-weights|keras|onnx"},
             {{"export", kOneRun}, "for example `lockstep export weights vgg-bn --format onnx`"},
             {{"export"}, "weights, runs, epochs, tensorboard, mlflow, datasette"},
             {{"export", "tensorboard"}, "`lockstep export tensorboard --out logs"},
             {{"run"}, "for example `lockstep run "},
             {{"tag", kOneRun, "paper", "--store", store}, "to add it as a tag, write +paper"},
             {{"tag", kOneRun, "-paper", "--store", store}, "did you mean --remove paper?"},
             {{"run", smoke_file(), "--epochs", "5"}, "did you mean --set train.epochs=5?"},
             {{"run", smoke_file(), "--batch-size=8"}, "did you mean --set train.batch_size=8?"},
             {{"train", smoke_file()}, "did you mean \"run\"? `lockstep --help`"},
             {{"rnu", smoke_file()}, "did you mean \"run\"? `lockstep --help`"},
             {{"ls", "--store", nowhere}, "--store DIR names another folder"},
             {{"ls", "nope", "--store", store}, "\"nope\"; it has: smoke"},
             {{"ls", "smok", "--store", store}, "did you mean \"smoke\"? It has: smoke"},
             {{"completion"}, "for example `lockstep completion zsh > ~/.zfunc/_lockstep`"},
             {{"ls", "--limit", "-1"}, "\"-1\" is no whole number from 0 on"},
             {{"ls", "--limit=1.5"}, "\"1.5\" is no whole number from 0 on"},
             {{"ls", "--limit="}, "--limit needs a value: N"},
             {{"ls", "--limit=", "--store", store}, "--limit needs a value: N"},
             {{"tag", kOneRun, "--note=", "--store", store}, "--note needs a value: TEXT"},
             {{"completion", "pwsh"}, "\"pwsh\" is none of bash|zsh|fish"},
             {{"evaluate", kOneRun, "--dataset", "cifar-10"}, "did you mean \"cifar10\"?"},
             {{"ls", "--limit"}, "--limit needs a value: N"},
             {{"ls", "--columns", "--store", store}, "--columns needs a value: \"--store\""},
             {{"ls", "--experiment", "a", "--experiment", "b"}, "--experiment is given 2 times"},
             {{"export", "tensorbord", "--out", "x"}, "did you mean \"tensorboard\"?"},
             {{"ls", "--where", "test_accuracy >", "--store", store}, "not complete at its end"},
             {{"ls", "--where", "seed > 1; drop table runs", "--store", store}, "without ';'"},
             {{"query", "show tables", "--store", store}, "the views v_runs, v_epochs"},
             {{"query", "select test_acc from v_runs", "--store", store},
              "did you mean \"test_accuracy\"?"},
             {{"show", "logits", "--store", store}, "(smoke, finished)"}}) {
        CAPTURE(each.words);
        const Result result = lockstep(each.words);
        CHECK(result.exit_code >= 64);
        CHECK(contains(result.errors, each.answer));
        CHECK(result.output.empty());
    }
    const TemporaryDirectory folder;
    const std::string file = file_with(folder, "units = 10", "units = 10");
    const Result refused = lockstep({"run", file, "--ranks", "1", "--store", "/proc/no/store"});
    CHECK(refused.exit_code > 64);
    CHECK(contains(refused.errors, "cannot make the folder /proc/no"));
    CHECK(contains(refused.errors, "--store DIR"));
}

TEST_CASE("A number that an option cannot take is told with what it takes", "[end_to_end]") {
    struct Option {
        std::vector<std::string> words;  // in front of the number
        std::string takes;
    };
    for (const Option& each : std::vector<Option>{
             {{"plan", smoke_file(), "--ranks"}, "whole number from 1 to 65536"},
             {{"run", smoke_file(), "--ranks"}, "whole number from 1 to 65536"},
             {{"run", smoke_file(), "--max-restarts"}, "whole number from 0 to 1000000"},
             {{"preview", smoke_file(), "--images"}, "whole number from 1 to 100"},
             {{"preview", smoke_file(), "--epochs"}, "whole number from 1 to 100"},
             {{"doctor", "--ranks"}, "whole number from 1 to 65536"},
             {{"predict", "a", "b.png", "--top"}, "whole number from 1 to 1000"},
             {{"ls", "--limit"}, "whole number from 0 on"},
             {{"bench", "allreduce", "--counts"}, "whole number from 0 to 1000000000"},
             {{"bench", "allreduce", "--repeats"}, "whole number from 1 to 100000"},
             {{"bench", "allreduce", "--shards"}, "whole number from 1 to 4096"},
             {{"bench", "kernels", "--images"}, "whole number from 1 to 1024"},
             {{"bench", "kernels", "--rounds"}, "whole number from 1 to 100000"},
             {{"bench", "step", smoke_file(), "--steps"}, "whole number from 1 to 100000"},
             {{"bench", "step", smoke_file(), "--latency"}, "number from 0 to 1e9"},
             {{"bench", "step", smoke_file(), "--bandwidth"}, "number above 0 and at most 1e6"}}) {
        for (const std::string number :
             {"many", "-1", "", "0x10", "nan", "99999999999999999999x"}) {
            std::vector<std::string> words = each.words;
            words.push_back(number);
            CAPTURE(words);
            const Result result = lockstep(words);
            CHECK(result.exit_code == 64);
            CHECK(contains(result.errors,
                           each.words.back() + ": \"" + number + "\" is no " + each.takes));
        }
    }
    CHECK(contains(lockstep({"plan", smoke_file(), "--ranks", "1e3"}).errors, "; write 1000;"));
    CHECK(contains(lockstep({"plan", smoke_file(), "--ranks", "2.0"}).errors, "; write 2;"));
    CHECK_FALSE(contains(lockstep({"preview", smoke_file(), "--images", "1e3"}).errors, "write"));
}

TEST_CASE("A time that an option cannot take is told with what to write", "[end_to_end]") {
    for (const std::string option : {"--max-walltime", "--stall-timeout"}) {
        const auto errors = [&](const std::string& time) {
            const Result result = lockstep({"run", smoke_file(), option, time});
            CHECK(result.exit_code == 64);
            return result.errors;
        };
        CHECK(contains(errors("5"), "\"5\" has no unit; write 5s, 5m, 5h or 5d;"));
        for (const std::string time : {"0s", "0", "-1", "", "1e3", "5 s", "2.5h", "5x", "00:00:00"})
            CHECK(contains(errors(time), "\"" + time + "\" is no time above 0; write 90s, 30m"));
    }
}

TEST_CASE("Nothing is above a baseline that was tested on other images", "[end_to_end]") {
    const std::string table = lockstep({"compare", "--baseline", "three-classes", "--columns",
                                        "name,above_baseline_accuracy", "--sort", "name",
                                        "--format", "csv", "--store", finished_store().string()})
                                  .output;
    CHECK(contains(table, "logits-seed1,\n"));
    CHECK(contains(table, "three-classes,0\n"));
}

TEST_CASE("A run that there is not is told with the nearest", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string picture = (folder / "a.png").string();
    for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
             {"show", "three-clases"},
             {"export", "three-clases", "--format", "onnx"},
             {"export", "weights", "three-clases", "--format", "onnx"},
             {"export", "epochs", "three-clases"},
             {"export", "tensorboard", "three-clases", "--out", folder.path().string()},
             {"evaluate", "three-clases"},
             {"predict", "three-clases", picture},
             {"compare", "three-clases"},
             {"diff", "three-clases", kOneRun},
             {"tail", "three-clases"},
             {"tag", "three-clases"},
             {"rm", "three-clases"}}) {
        words.insert(words.end(), {"--store", finished_store().string()});
        CAPTURE(words);
        const Result result = lockstep(words);
        CHECK(result.exit_code == 66);
        CHECK(contains(result.errors, "no run \"three-clases\"; did you mean \"three-classes\"?"));
    }
    const Result baseline =
        lockstep({"compare", "--baseline", "three-clases", "--store", finished_store().string()});
    CHECK(baseline.exit_code == 64);
    CHECK(contains(baseline.errors, "did you mean \"three-classes\"?"));
}

TEST_CASE("Several conditions all have to hold, and a column is shown once", "[end_to_end]") {
    const std::string store = finished_store().string();
    const auto names = [&](std::vector<std::string> words) {
        words.insert(words.begin(),
                     {"ls", "--columns", "name,name", "--format", "csv", "--store", store});
        return lockstep(words).output;
    };
    CHECK(names({"--where", "name like 'logits%'", "--where", "seed = 2"}) ==
          "name\nlogits-seed2\n");
    CHECK(names({"--where", "seed = 2 or seed = 1 -- all", "--where", "name = 'three-classes'"}) ==
          "name\nthree-classes\n");
    const Result experiment = lockstep({"compare", "smoke", "--format", "json", "--store", store});
    CHECK(experiment.exit_code == 0);
    CHECK(contains(experiment.output, "three-classes"));
}

TEST_CASE("Runs of one name in two experiments are told apart", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    for (const std::string batch : {"8", "16"}) {
        const std::string file =
            file_with(folder, "name = \"words\"", "name = \"words" + batch + "\"");
        CHECK(lockstep({"run", file, "--ranks", "1", "--store", store, "--set",
                        "train.batch_size=" + batch})
                  .exit_code == 0);
    }
    for (const std::string verb : {"ls", "compare"}) {
        const std::string text = lockstep({verb, "--store", store}).output;
        CHECK(text.starts_with("name  experiment"));
    }
    const Result shown = lockstep({"show", "a", "--store", store});
    CHECK(contains(shown.errors, "(words8, finished)"));
    CHECK(contains(shown.errors, "(words16, finished)"));
    const Result tagged = lockstep({"tag", "a", "+x", "--store", store});
    CHECK(tagged.exit_code == 64);
    CHECK(contains(tagged.errors, "(words8)"));
    CHECK(rows(store, "select count(*) from run_tags") == "0\n");
    CHECK(lockstep({"tag", "a", "--store", store}).exit_code == 0);  // only asks
    const std::string eight = rows(store, "select run from v_runs where experiment = 'words8'");
    CHECK(lockstep({"tag", eight.substr(0, eight.size() - 1), "+x", "--store", store}).exit_code ==
          0);
    const std::string compared =
        lockstep({"compare", "--tag", "x", "--store", store, "--format", "csv"}).output;
    CHECK(contains(compared, "words8"));
    CHECK_FALSE(contains(compared, "words16"));
}

TEST_CASE("diff calls layers by their names", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    const std::string file = file_with(folder, "units = 10", "units = 10");
    for (const std::string activation : {"softmax", "linear"})
        CHECK(lockstep({"run", file, "--ranks", "1", "--store", store, "--set",
                        "layers.dense.activation=" + activation})
                  .exit_code == 0);
    const auto id = [&](const std::string& order) {
        std::string line = rows(store, "select run from runs order by run " + order + " limit 1");
        line.pop_back();  // its newline
        return line;
    };
    const Result result = lockstep({"diff", id("asc"), id("desc"), "--store", store});
    CHECK(contains(result.output, "layers.dense.activation"));
}

}  // namespace
}  // namespace lockstep::tests
