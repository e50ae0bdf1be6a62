// Whatever spelling of a command line the parser takes, the ranks that it is passed on to take too.
#include <filesystem>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using Words = std::vector<std::string>;

Words joined(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

TEST_CASE("Two ranks are started by every spelling of one command", "[end_to_end]") {
    const TemporaryDirectory folder;
    std::filesystem::copy_file(smoke_file(), folder / "--set");  // a file named like an option
    const std::string store = (folder / "store").string();
    const Words options{"--store", store, "--ranks", "2", "--only", "logits", "--fresh"};
    const std::string odd = (folder / "--set").string();
    for (const Words& words :
         {joined(joined({"run", smoke_file()}, options), {"--"}),
          joined(joined({"run"}, options), {"--", smoke_file()}),
          joined(joined({"run", "--quiet", "-q"}, options), {"--set", "train.epochs=1", odd}),
          joined({"run", smoke_file(), "--ranks=1", "--store=" + store + "/none"}, options)}) {
        INFO(words[1] << " ... " << words.back());
        const Result result = lockstep(words);
        INFO(result.errors);
        CHECK(result.exit_code == 0);
        CHECK(result.output.find("logits") != std::string::npos);
    }
    CHECK_FALSE(std::filesystem::exists(folder / "store" / "none"));
}

TEST_CASE("Of an option that is given twice the last mention counts; lists collect",
          "[end_to_end]") {
    const Result plan =
        lockstep({"plan", smoke_file(), "--format", "json", "--format", "csv", "--only", "logits",
                  "--only", "three-classes", "--set", "train.seed=8", "--set", "train.seed=9"});
    INFO(plan.errors);
    CHECK(plan.exit_code == 0);
    CHECK(plan.output.starts_with("run,seed,"));
    CHECK(plan.output.find("logits-") != std::string::npos);
    CHECK(plan.output.find("three-classes-") != std::string::npos);
    CHECK(plan.output.find(",9,") != std::string::npos);
}

TEST_CASE("A --set that ends a sweep is told on standard error, and tables stay clean",
          "[end_to_end]") {
    const Result plan = lockstep({"plan", smoke_file(), "--format", "csv", "--set",
                                  "sweep.train.optimizer.learning_rate=[0.1, 0.5]", "--set",
                                  "train.optimizer=sgd"});
    CHECK(plan.exit_code == 0);
    CHECK(plan.errors.find("lockstep: warning: --set train.optimizer replaces the swept "
                           "train.optimizer.learning_rate") != std::string::npos);
    CHECK(plan.output.find("warning") == std::string::npos);
    CHECK(plan.output.find("logits-seed1-") != std::string::npos);
}

TEST_CASE("An empty path is refused as such", "[end_to_end]") {
    for (const Words& words :
         {Words{"ls", "--store", ""}, Words{"plan", smoke_file(), "--data", ""}}) {
        const Result result = lockstep(words);
        INFO(result.errors);
        CHECK(result.exit_code == 64);
        CHECK(result.errors.find("the path is empty") != std::string::npos);
    }
}

TEST_CASE("A second argument is still refused", "[end_to_end]") {
    const Result result = lockstep({"validate", smoke_file(), smoke_file()});
    CHECK(result.exit_code == 64);
    CHECK(result.errors.find("unexpected argument") != std::string::npos);
    const Result marked = lockstep({"run", "-q", "--", smoke_file(), "--ranks", "2"});
    CHECK(marked.exit_code == 64);
    CHECK(marked.errors.find("unexpected argument \"--ranks\"") != std::string::npos);
}

}  // namespace
}  // namespace lockstep::tests
