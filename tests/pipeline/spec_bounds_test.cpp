// Whatever a file holds, reading it ends soon, in little memory and little stack.
#include <optional>
#include <string>
#include <vector>

#include "pipeline/settings/toml_depth.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

std::string repeated(const std::string& text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) result.append(text);
    return result;
}

std::string numbers(int count) {
    std::string result("[");
    for (int i = 1; i <= count; ++i) result.append(std::to_string(i)).append(",");
    return result.append("]");
}

std::string seeds(int count) { return std::string("[train]\nseeds = ") + numbers(count) + "\n"; }

// "BEFORE0AFTER BEFORE1AFTER ..."
std::string counted(const std::string& before, const std::string& after, int times) {
    std::string result;
    for (int i = 0; i < times; ++i) {
        result.append(before).append(std::to_string(i)).append(after);
    }
    return result;
}

// A block that uses another a thousand times.
std::string block(const std::string& name, const std::string& other) {
    return "[block." + name + "]\nlayers = [{ block = \"" + other + "\", repeat = 1000 }]\n";
}

struct Hostile {
    const char* what;
    std::string text;
    const char* message;  // part of it
};

std::vector<Hostile> hostile_files() {
    const std::string head = kHead;
    const std::string sweep = head + "[sweep]\n";
    const std::string hundred = std::string(" = ") + numbers(100) + "\n";
    const std::string deep_network = "[[run]]\nname = \"a\"\nlayers = [" +
                                     repeated("{ type = \"flatten\" }, ", 999) +
                                     "{ type = \"dense\", units = 10 }]\n";
    return {
        {"a long file", std::string(1'100'000, '#'), "more than 1048576 bytes"},
        {"a sweep of 10^10 runs",
         sweep + std::string("\"train.epochs\"") + hundred + std::string("\"train.seed\"") +
             hundred + std::string("\"train.batch_size\"") + hundred +
             std::string("\"train.steps_per_epoch\"") + hundred + std::string("\"data.seed\"") +
             hundred + run_text(),
         "stands for 10,000,000,000 runs, at most 10,000 are possible"},
        {"more runs than numbers count",
         sweep + counted("\"data.k", std::string("\"") + hundred, 12) + run_text(),
         "stands for more than 10^18 runs"},
        {"a sweep beside seeds",
         head + seeds(3) + "[sweep]\n\"train.epochs\"" + hundred + "\"train.batch_size\"" +
             hundred + run_text(),
         "run a alone for 30,000: a sweep of 100 x 100 values, 3 seeds"},
        {"10,001 seeds", head + seeds(10'001) + run_text(), "stands for 10,001 runs"},
        {"10,002 runs", head + counted("[[run]]\nname = \"r", "\"\n", 10'002),
         "stands for 10,002 runs"},
        {"10,000 runs of 1,000 layers", head + seeds(10'000) + deep_network,
         "settings together (layers, texts, lists), at most"},
        {"10,000 runs of a long title",
         head + seeds(10'000) +
             run_text("a", std::string("title = \"") + std::string(900'000, 'x') + "\"\n"),
         "settings together"},
        {"40,000 keys", sweep + counted("\"k", "\" = [1]\n", 40'000) + run_text(),
         "a table of 40000 keys; at most 1000 are read"},
        {"10,000 dots in a header", std::string("[") + repeated("a.", 10'000) + "a]\n",
         "exp.toml:1:67: nested"},
        {"10,000 dots in a key", repeated("a.", 10'000) + "a = 1\n", "exp.toml:1:66: nested"},
        {"10,000 brackets", std::string("\nx = ") + std::string(10'000, '['),
         "exp.toml:2:37: nested"},
        {"10,000 inline tables", std::string("x = ") + repeated("{ a = ", 10'000),
         "nested more than 32 levels"},
        {"250,000 classes",
         head + std::string("[data]\nclasses = [") + repeated("\"a\",", 250'000) + "]\n" +
             run_text(),
         "so many problems"},
        {"10^9 uses of blocks that come to nothing",
         head + block("a", "b") + block("b", "c") + block("c", "d") +
             "[block.d]\nlayers = [{ block = \"typo\" }]\n"
             "[[run]]\nname = \"r\"\nlayers = [{ block = \"a\" }]\n",
         "there is no [block.typo]"},
        {"400,000 swept values",
         sweep + std::string("\"train.epochs\" = [") + repeated("1,", 400'000) + "]\n" + run_text(),
         "lists 1 twice"},
        {"a key of 900,000 letters", head + std::string(900'000, 'k') + " = 1\n" + run_text(),
         "unknown key \"kkkk"},
    };
}

}  // namespace

TEST_CASE("hostile files are refused in words, whatever they multiply to", "[spec][bounds]") {
    for (const Hostile& file : hostile_files()) {
        CAPTURE(file.what);
        const std::string problems = problem_in(file.text);
        CHECK(contains(problems, file.message));
        CHECK(problems.size() < 100'000);
    }
}

TEST_CASE("an experiment of 10,000 runs is read", "[spec][bounds]") {
    const auto spec = read(kHead + seeds(10'000) + run_text());
    REQUIRE(spec.runs.size() == 10'000);
    CHECK(spec.runs.back().config.name == "a-seed10000");
    CHECK(spec.runs.back().config.train.seed == 10'000);
    CHECK(spec.runs.back().design_name == "a");
    CHECK(read(std::string(kHead) + std::string("[sweep]\n\"train.seed\" = ") + numbers(100) +
               std::string("\n\"train.epochs\" = ") + numbers(100) + "\n" + run_text())
              .runs.size() == 10'000);
}

TEST_CASE("of thousands of runs with the same mistakes enough is said", "[spec][bounds]") {
    const std::string keys = counted("k", " = 1\n", 900);
    CHECK(contains(problems_in(kHead + keys + run_text()).back(), "further problems"));
    std::string runs;
    for (int i = 0; i < 500; ++i) {
        std::string name("r");
        runs.append(run_text(name.append(std::to_string(i))));
    }
    CHECK(contains(problems_in(std::string(kHead) + "[train]\n" + keys + runs).back(),
                   "the rest of the file was not looked at"));
}

TEST_CASE("hostile settings are refused too", "[spec][bounds]") {
    const std::string file = kHead + run_text();
    CHECK(contains(problem_in(file, {std::string("train.") + repeated("a.", 10'000) + "a=1"}),
                   "nested more"));
    CHECK(contains(problem_in(file, {std::string("train.epochs=") + std::string(10'000, '[')}),
                   "nested more"));
    CHECK(contains(problem_in(file, {std::string("train.epochs=") + repeated("{ a = ", 10'000)}),
                   "nested more"));
    CHECK(contains(problem_in(file, std::vector<std::string>(201, "train.epochs=2")),
                   "there are 201 --set; at most 200"));
    CHECK(problem_in(file, std::vector<std::string>(200, "train.epochs=2")).empty());
    CHECK(problem_in(file, {std::string("train.epoch=") + std::string(100'000, '1')}).size() <
          1000);
}

TEST_CASE("levels are counted outside of texts and comments only", "[spec][bounds]") {
    const auto is_deep = [](const std::string& text) {
        return pipeline::first_too_deep(text, 3).has_value();
    };
    CHECK_FALSE(is_deep("[a.b.c.d]\nx = [[1], [2]] # [[[[[[ a.b.c.d.e.f\n"));
    CHECK_FALSE(is_deep("x = \"[[[[ \\\" a.b.c.d.e\"\ny = '[[[[\\'\n"));
    CHECK_FALSE(
        is_deep("x = \"\"\"\n[[[[ \" \\\"\"\" a.b.c.d.e\"\"\"\ny = '''[[[[ ' a.b.c.d.e'''\n"));
    CHECK_FALSE(is_deep("x = [1.5, 2.5, 3.5, 4.5, 5.5]\n"));
    CHECK(is_deep("x = \"\"[[[[\n"));
    CHECK(is_deep("\"a\" . b . 'c' . d . e = 1\n"));
    const auto place = pipeline::first_too_deep("\n\xc3\xa4 = [ [ [ [ ]", 3);
    REQUIRE(place);
    CHECK(place->line == 2);
    CHECK(place->column == 11);
}
