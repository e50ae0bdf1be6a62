// What people read in a terminal: no table is wider than it, and what was asked for stays.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/end_to_end/sweep_store.hpp"
#include "tests/storage/raw_database.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

// A verb on a terminal of so many columns, which takes both of its streams.
Words terminal_command(int columns, const Words& words) {
    std::string command = "stty cols " + std::to_string(columns) + " rows 24; exec";
    for (const std::string& word : lockstep_command(words)) command += " '" + word + "'";
    return {"script", "-qec", command, "/dev/null"};
}

std::string on_terminal(int columns, const Words& words) {
    Process process(terminal_command(columns, words));
    CHECK(process.wait() == 0);
    return process.output();
}

// The longest line that is no sentence: notes and paths are not tables.
std::size_t widest_line(const std::string& text) {
    std::size_t widest = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.starts_with("note:") || contains(line, "had no room")) continue;
        widest = std::max(widest, line.size());
    }
    return widest;
}

Words in_store(Words words) {
    words.insert(words.end(), {"--store", finished_store().string()});
    return words;
}

TEST_CASE("Tables fit into a terminal of 80 columns", "[end_to_end]") {
    for (const Words& words :
         {in_store({"ls"}), in_store({"compare"}), in_store({"compare", "--by", "architecture"}),
          in_store({"show", kOneRun}), in_store({"diff", "logits-seed1", "three-classes"}),
          in_store({"ls", "--experiments"}), in_store({"evaluate", kOneRun}), in_store({"doctor"}),
          Words{"plan", smoke_file()}}) {
        CAPTURE(words);
        const std::string text = on_terminal(80, words);
        CHECK(widest_line(text) > 20);
        CHECK(widest_line(text) <= 80);
    }
}

TEST_CASE("A narrow terminal keeps the accuracy, and what is asked for", "[end_to_end]") {
    const std::string usual = on_terminal(50, in_store({"ls"}));
    CHECK(contains(usual, "test_accuracy"));
    CHECK(contains(usual, "had no room"));
    CHECK_FALSE(contains(usual, "parameters"));
    const std::string sorted = on_terminal(50, in_store({"ls", "--sort", "-parameters"}));
    CHECK(contains(sorted, "parameters"));
    const std::string chosen = on_terminal(50, in_store({"ls", "--where", "batch_size > 1"}));
    CHECK(contains(chosen, "batch_size"));
    const std::string above = on_terminal(60, in_store({"compare", "--baseline", kOneRun}));
    CHECK(contains(above, "above_baseline_accuracy"));
}

TEST_CASE("Accuracies of several test sets are told apart at every width", "[end_to_end]") {
    for (const int columns : {60, 80, 100}) {
        for (const Words& words : {in_store({"ls"}), in_store({"compare"}),
                                   in_store({"compare", "--by", "architecture"})}) {
            CAPTURE(columns, words);
            const std::string text = on_terminal(columns, words);
            CHECK(contains(text, "test_set"));
            CHECK(contains(text, "  A: synthetic, "));
            CHECK(contains(text, "  B: synthetic, "));
            CHECK(contains(text, "three-classes *"));
            CHECK(contains(text, "* chose its epoch by the test set"));
            CHECK(contains(text, "The images are synthetic"));
            CHECK(widest_line(text) <= static_cast<std::size_t>(columns));
        }
    }
    const Words one = in_store({"ls", "--where", "validation_samples = 0"});
    CHECK_FALSE(contains(on_terminal(80, one), "test_set"));
    const Words chosen = in_store({"ls", "--columns", "name,test_accuracy"});
    CHECK(contains(lockstep(chosen).output, "(column test_set)"));
}

TEST_CASE("diff keeps its verdict where there is little room", "[end_to_end]") {
    for (const int columns : {40, 60, 80}) {
        CAPTURE(columns);
        const std::string text =
            on_terminal(columns, in_store({"diff", "logits-seed1", "logits-seed2"}));
        CHECK(contains(text, "movement"));
        CHECK(contains(text, "within seed"));
        CHECK(contains(text, "test_accuracy"));
        CHECK(widest_line(text) <= static_cast<std::size_t>(columns));
    }
}

TEST_CASE("What has no room as columns is shown in lines", "[end_to_end]") {
    for (const Words& words :
         {in_store({"query", "select * from v_runs limit 2"}), in_store({"ls", "--columns", "all"}),
          in_store({"compare", "--by", "architecture"}), in_store({"show", kOneRun})}) {
        CAPTURE(words);
        CHECK(widest_line(on_terminal(40, words)) <= 40);
    }
    const std::string query =
        on_terminal(40, in_store({"query", "select name, config_digest from v_runs limit 1"}));
    CHECK(contains(query, "config_digest"));
}

TEST_CASE("show --all and the verbs of care keep to the width, and leave nothing out",
          "[end_to_end]") {
    for (const int columns : {60, 80}) {
        for (const Words& words :
             {in_store({"show", kOneRun, "--all"}), in_store({"gc", "--dry-run"}),
              in_store({"rm", "--experiment", "smoke", "--dry-run"}), in_store({"tag", kOneRun}),
              in_store({"fsck"})}) {
            CAPTURE(columns, words);
            const std::string text = on_terminal(columns, words);
            std::istringstream lines(text);  // of a configuration as its file has them
            bool is_file = false;
            for (std::string line; std::getline(lines, line);) {
                if (line.starts_with("configuration")) is_file = true;
                if (line.starts_with("attempts")) is_file = false;
                if (!is_file) CHECK(widest_line(line + '\n') <= static_cast<std::size_t>(columns));
            }
        }
    }
    const std::string all = on_terminal(80, in_store({"show", kOneRun, "--all"}));
    for (const char* part : {"config_digest", "onednn_version", "weights_digest",
                             "images_per_second", "sha256", "final.h5"})
        CHECK(contains(all, part));
    CHECK(contains(on_terminal(60, in_store({"gc", "--dry-run"})), "bytes in all"));
}

TEST_CASE("ls --experiments keeps what tells the experiments apart", "[end_to_end]") {
    for (const int columns : {60, 80}) {
        const std::string text =
            on_terminal(columns, {"ls", "--experiments", "--store", sweep_store().string()});
        for (const char* column : {"experiment", "best_test_accuracy", "best_run"})
            CHECK(contains(text, column));
        CHECK(widest_line(text) <= static_cast<std::size_t>(columns));
    }
}

TEST_CASE("Help and the manual page keep to the width", "[end_to_end]") {
    for (const int columns : {60, 80}) {
        for (const Words& words : {Words{"help"}, Words{"help", "run"}, Words{"help", "ls"},
                                   Words{"help", "export", "weights"}}) {
            CAPTURE(columns, words);
            CHECK(widest_line(on_terminal(columns, words)) <= static_cast<std::size_t>(columns));
        }
    }
    std::istringstream page(lockstep({"man"}).output);
    bool is_example = false;
    for (std::string line; std::getline(page, line);) {
        if (line == ".nf" || line == ".fi") is_example = line == ".nf";
        std::erase(line, '\\');  // of roff, but for a shell's
        if (is_example) CHECK(line.size() <= 80);
    }
}

TEST_CASE("ls shows what a sweep sets before it shows that all is finished", "[end_to_end]") {
    const std::string text = on_terminal(80, in_store({"ls"}));
    CHECK(text.find("scale") < text.find("state"));
}

TEST_CASE("On a terminal what needs a look has a colour, unless that is refused", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    fs::copy(finished_store(), store, fs::copy_options::recursive);
    RawDatabase(fs::path(store) / "lockstep.db")
        .exec("UPDATE runs SET state = 'failed' WHERE name = 'three-classes'");
    const auto shown = [&](const std::string& variable) {
        Words command = terminal_command(100, {"ls", "--store", store});
        command.insert(command.begin(), {"env", "-u", "NO_COLOR", "TERM=xterm", variable});
        Process process(command);
        CHECK(process.wait() == 0);
        return process.output();
    };
    const std::string colored = shown("LANG=C");
    CHECK(contains(colored, "\x1b[31mfailed\x1b[0m"));
    CHECK_FALSE(contains(colored, "mfinished"));
    CHECK_FALSE(contains(shown("NO_COLOR=1"), "\x1b["));
    CHECK_FALSE(contains(lockstep({"ls", "--store", store}).output, "\x1b["));
}

TEST_CASE("Of no rows there is a sentence, and no head", "[end_to_end]") {
    const Result kept = lockstep(in_store({"rm", "--failed"}));
    CHECK(kept.output.empty());
    CHECK(contains(kept.errors, "no run of 4 matches"));
    const Result none = lockstep(in_store({"ls", "--tag", "nosuch"}));
    CHECK(none.output.empty());
    CHECK(contains(none.errors, "no run of 4 matches"));
    CHECK(lockstep(in_store({"ls", "--tag", "nosuch", "--format", "json"})).output == "[]\n");
}

TEST_CASE("show begins with figures and curves; --all has the configuration", "[end_to_end]") {
    const std::string text = lockstep(in_store({"show", kOneRun})).output;
    CHECK(text.find("test_accuracy") < text.find("curves of 2 epochs"));
    CHECK(text.find("curves of 2 epochs") < text.find("images_per_second"));
    CHECK_FALSE(contains(text, "config_digest"));
    CHECK_FALSE(contains(text, "train.batch_size = 16"));
    const std::string all = lockstep(in_store({"show", kOneRun, "--all"})).output;
    for (const char* part : {"config_digest", "train.batch_size = 16", "onednn_version", "sha256"})
        CHECK(contains(all, part));
}

TEST_CASE("tail tells the epoch of a training that has nothing new", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    Process training(lockstep_command({"run", smoke_file(), "--store", store, "--ranks", "1",
                                       "--set", "train.epochs=100000", "--only", kOneRun}));
    wait_until([&] {
        return training.is_running() && fs::exists(folder / "store/runs") &&
               !fs::is_empty(folder / "store/runs") &&
               contains(read_text(run_folder(folder / "store", kOneRun) / "log.txt"), "Epoch 2/");
    });
    pause_outside_of_transactions(training, folder / "store");
    Process tail(terminal_command(100, {"tail", "--store", store}));
    wait_until([&] {
        return !tail.is_running() || contains(tail.output(), std::string(kOneRun) + " Epoch ");
    });
    CHECK(tail.is_running());
    CHECK(contains(tail.output(), "/100000"));
    tail.send(SIGTERM);
    tail.wait();
    training.send(SIGKILL);
    training.wait();
}

}  // namespace
}  // namespace lockstep::tests
