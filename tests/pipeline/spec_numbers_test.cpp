// Numbers are checked in the type that they are used in, and shown as they were written.
#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

// A file that has `key = value` in the table under a heading of experiments/README.md, and all else
// right. Layers stand in front of a linear network.
std::string file_with(const std::string& table, const std::string& key, const std::string& value) {
    const std::string entry = key + " = " + value;
    const auto first_word = [](const std::string& words) {  // "adam and adamw", "add, multiply"
        return words.substr(0, words.find_first_of(" ,"));
    };
    const auto word_behind = [&](std::size_t count) { return table.substr(count); };
    const std::string head = std::string(kHead) + "[data]\nvalidation = \"test\"\n";
    if (table.starts_with("optimizer ") || table.starts_with("schedule ")) {
        const std::size_t blank = table.find(' ');
        return head + "[train]\n" + table.substr(0, blank) + " = { name = \"" +
               first_word(word_behind(blank + 1)) + "\", " + entry + " }\n" + run_text();
    }
    if (table == "early_stopping") {
        return head + "[train]\nearly_stopping = { " + entry + " }\n" + run_text();
    }
    if (table == "validation") {
        return std::string(kHead) + "[data]\nvalidation = { " + entry + " }\n" + run_text();
    }
    if (table == "expect") return kHead + run_text("a", "expect = { " + entry + " }\n");
    if (table == "[train]" || table == "[parallel]" || table == "[checkpoint]") {
        return head + (table == "[train]" ? "" : "[train]\nepochs = 1\n") + table + "\n" + entry +
               "\n" + run_text();
    }
    if (table == "[data]") return std::string(kHead) + "[data]\n" + entry + "\n" + run_text();
    if (!table.starts_with("layer ")) return {};          // texts and tables alone
    const std::string type = first_word(word_behind(6));  // one of the two poolings
    return std::string(kHead) + "[[run]]\nname = \"a\"\nlayers = [{ type = \"" + type + "\", " +
           entry + " }, { type = \"flatten\" }, { type = \"dense\", units = 10 }]\n";
}

bool is_skipped(const std::string& table, const std::string& key) {
    return key == "name" || key == "type" || key == "inputs" || file_with(table, key, "1").empty();
}

// Whether the value is refused for what it is: the message shows it.
bool is_refused(const std::string& table, const std::string& key, const std::string& value) {
    const std::string problems = problem_in(file_with(table, key, value));
    return contains(problems, key) && contains(problems, value);
}

}  // namespace

TEST_CASE("no key takes a number that is 0, 1 or infinite where it is used", "[spec][numbers]") {
    // Compared or divided in double precision, or shown alone.
    const std::vector<std::string> doubles{"early_stopping.min_delta",
                                           "schedule reduce_on_plateau.min_delta"};
    int real_keys = 0;
    for (const auto& known : pipeline::known_keys()) {
        for (const std::string& key : known.keys) {
            if (is_skipped(known.table, key) || known.table == "expect") continue;
            CAPTURE(known.table, key);
            const bool is_double =
                std::ranges::find(doubles, known.table + "." + key) != doubles.end();
            for (const char* tiny : {"1e-50", "1.1e-38"}) {
                CHECK(is_refused(known.table, key, tiny) != is_double);
            }
            CHECK(is_refused(known.table, key, "1e-400"));
            CHECK(is_refused(known.table, key, "1e300"));
            const std::string at_one = problem_in(file_with(known.table, key, "1.0"));
            const bool is_below_one = contains(at_one, "and below 1");
            if (is_below_one) CHECK(is_refused(known.table, key, "0.99999999999999989"));
            real_keys += is_below_one || contains(at_one, "a number") || at_one.empty();
        }
    }
    CHECK(real_keys >= 20);  // the table above has found them
}

TEST_CASE("numbers that are told apart in float32 are taken", "[spec][numbers]") {
    for (const char* entry : {"learning_rate = 1e-37", "beta_1 = 0.9999999", "beta_2 = 0.0",
                              "epsilon = 1e-37", "epsilon = 1"}) {
        CAPTURE(entry);
        CHECK(
            problem_in(std::string(kHead) + "[train]\noptimizer = { " + entry + " }\n" + run_text())
                .empty());
    }
}

TEST_CASE("what is lost is said, with the number as it was written", "[spec][numbers]") {
    const auto problem_of_optimizer = [](const std::string& entry) {
        return problem_in(std::string(kHead) + "[train]\noptimizer = { " + entry + " }\n" +
                          run_text());
    };
    CHECK(problem_of_optimizer("epsilon = 1e-50") ==
          "exp.toml:4:15: epsilon must be a number above 0 and at most 1, not 1e-50, which is 0 in "
          "float32");
    CHECK(problem_of_optimizer("beta_2 = 0.999_999_999") ==
          "exp.toml:4:15: beta_2 must be a number of at least 0 and below 1, not 0.999_999_999, "
          "which is 1 in float32");
    CHECK(contains(problem_in(kHead + run_text(), {"train.optimizer.epsilon=1.0e-60"}),
                   "not 1.0e-60, which is 0 in float32"));
}

TEST_CASE("a rate of dropout is one of 65,536 parts", "[spec][numbers]") {
    const auto problem_of_rate = [](const std::string& rate) {
        return problem_in(file_with("layer dropout", "rate", rate));
    };
    CHECK(contains(problem_of_rate("1e-6"), "rate = 1e-6: less than 2^-17 drops nothing"));
    CHECK(contains(problem_of_rate("0.999999"), "drops everything"));
    CHECK(problem_of_rate("0").empty());
    CHECK(problem_of_rate("2e-5").empty());
    CHECK(problem_of_rate("0.9999").empty());
}

TEST_CASE("a fraction that leaves no sample of a class is refused", "[spec][numbers]") {
    const auto problem_of_fraction = [](const std::string& fraction) {
        return problem_in(file_with("validation", "fraction", fraction));
    };
    CHECK(contains(problem_of_fraction("9e-5"),
                   "fraction = 9e-5 of about 5000 samples of a class leaves none to validate"));
    CHECK(contains(problem_of_fraction("0.99995"), "leaves none to train"));
    CHECK(problem_of_fraction("2e-4").empty());
}

TEST_CASE("a schedule that lets the rate grow beyond float32 is refused", "[spec][numbers]") {
    const auto problem_of_schedule = [](const std::string& name, const std::string& epochs) {
        return problem_in(std::string(kHead) + "[train]\nepochs = " + epochs +
                          "\nschedule = { name = \"" + name + "\", factor = 10 }\n" + run_text());
    };
    for (const char* name : {"step", "exponential"}) {
        CHECK(contains(problem_of_schedule(name, "50"),
                       "by epoch 50 the learning rate grows beyond"));
        CHECK(problem_of_schedule(name, "40").empty());
    }
    // Also inside of the last epoch.
    for (const char* name : {"step", "exponential"})
        CHECK(
            contains(problem_in(std::string(kHead) + "[train]\nepochs = 1\nschedule = { name = \"" +
                                name + "\", factor = 10, every_epochs = 1e-3 }\n" + run_text()),
                     "by epoch 1 the learning rate grows beyond"));
}

TEST_CASE("a whole number is shown as it was written, with the way out", "[spec][numbers]") {
    const auto problem_of_epochs = [](const std::string& number) {
        return problem_in(std::string(kHead) + "[train]\nepochs = " + number + "\n" + run_text());
    };
    const std::string expected =
        "exp.toml:4:1: epochs must be a whole number from 0 to 2147483647, not ";
    CHECK(problem_of_epochs("1e3") == expected + "1e3; write 1000");
    CHECK(problem_of_epochs("2.0 # two") == expected + "2.0; write 2");
    CHECK(problem_of_epochs("1e30") == expected + "1e30");
    CHECK(problem_of_epochs("-0x1") != "");
    CHECK(problem_of_epochs("9_999_999_999") == expected + "9_999_999_999");
    CHECK(contains(problem_in("\xef\xbb\xbftrain.epochs = 1e3\n" + std::string(kHead) + run_text()),
                   "not 1e3; write 1000"));
    CHECK(contains(problem_in(kHead + run_text(), {"train.epochs=1e3"}), "not 1e3; write 1000"));
    CHECK(contains(
        problem_in(std::string(kHead) + "[[run]]\nname = \"\xc3\xa4\", \ntrain = { epochs = 1e3 }"),
        "exp.toml:4:"));
}
