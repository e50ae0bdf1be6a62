// A user's tags and notes: found, shown, and left alone by trainings and merges.

#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

void train(const fs::path& store, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"run", smoke_file(), "--store", store.string(), "--ranks", "1"};
    words.insert(words.end(), more.begin(), more.end());
    const Result result = lockstep(words);
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
}

// A store with one trained run.
fs::path store_in(const TemporaryDirectory& folder, const std::string& name) {
    train(folder / name, {"--only", kOneRun});
    return folder / name;
}

Result tag(const fs::path& store, std::vector<std::string> words) {
    words.insert(words.begin(), "tag");
    words.insert(words.end(), {"--store", store.string(), "--format", "csv"});
    return lockstep(words);
}

std::string words_of(const fs::path& store, const std::string& run = kOneRun) {
    return rows(store, "select tags, notes from v_runs where name = '" + run + "'");
}

TEST_CASE("Tags are added and removed, a note is replaced, and nothing said only shows them",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = store_in(folder, "store");
    CHECK(tag(store, {kOneRun, "+paper", "+base.line_2"}).exit_code == 0);
    CHECK(words_of(store) == "base.line_2 paper,\n");
    CHECK(tag(store, {kOneRun, "--remove", "paper", "--note", "it's \"clean\""}).exit_code == 0);
    CHECK(words_of(store) == "base.line_2,\"it's \"\"clean\"\"\"\n");
    const std::string before = read_text(store / "lockstep.db");
    const Result shown = tag(store, {kOneRun});
    CHECK(contains(shown.output, ",base.line_2,\"it's \"\"clean\"\"\""));
    CHECK(read_text(store / "lockstep.db") == before);
    CHECK(tag(store, {kOneRun, "--note", ""}).exit_code == 0);
    CHECK(words_of(store) == "base.line_2,\n");
}

TEST_CASE("What is no tag, and no run, is refused, and nothing is written", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = store_in(folder, "store");
    for (const std::string word : {"+", "+two words", "+-a", "+\xc3\xa4"}) {
        const Result result = tag(store, {kOneRun, "+good", word});
        CHECK(result.exit_code == 64);
        CHECK(contains(result.errors, "is no tag"));
    }
    CHECK(tag(store, {"+good"}).exit_code == 64);
    CHECK(tag(store, {kOneRun, "nobody", "+good"}).exit_code == 66);
    CHECK(tag(store, {kOneRun, "--note", std::string(1001, 'x')}).exit_code == 64);
    const Result bytes = tag(store, {kOneRun, "--note", "caf\xe9"});
    CHECK(bytes.exit_code == 64);
    CHECK(contains(bytes.errors, "\"caf\\xe9\" is no UTF-8"));
    CHECK(words_of(store) == ",\n");
}

TEST_CASE("ls finds runs by all of their tags, and shows them", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    train(store);
    const auto names = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"ls",        "--store", store.string(), "--format", "csv",
                                       "--columns", "name",    "--sort",       "name"};
        words.insert(words.end(), more.begin(), more.end());
        return lockstep(words).output;
    };
    tag(store, {"logits-seed1", "logits-seed2", "+a_b"});
    tag(store, {"logits-seed1", "three-classes", "+good"});
    tag(store, {"three-classes", "+axb"});
    CHECK(names({"--tag", "a_b"}) == "name\nlogits-seed1\nlogits-seed2\n");
    CHECK(names({"--tag", "a_b", "--tag", "good"}) == "name\nlogits-seed1\n");
    CHECK(names({"--tag", "goo"}) == "name\n");
    CHECK(names({"--tag", "good", "--where", "seed = 2 or name = 'three-classes'"}) ==
          "name\nthree-classes\n");
    CHECK(names({"--where", "tags like '%axb%'"}) == "name\nthree-classes\n");
    CHECK(contains(lockstep({"ls", "--store", store.string()}).output, " a_b good "));
}

TEST_CASE("A training that goes on, or begins anew, leaves tags and notes alone", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = store_in(folder, "store");
    tag(store, {kOneRun, "+good", "--note", "mine"});
    train(store, {"--only", kOneRun, "--fresh"});
    CHECK(rows(store, "select count(*) from attempts") == "2\n");
    CHECK(words_of(store) == "good,mine\n");
    CHECK(contains(lockstep({"show", kOneRun, "--store", store.string()}).output, "good"));
    CHECK(lockstep({"report", "--store", store.string()}).exit_code == 0);
    CHECK(contains(read_text(store / "reports/smoke/report.csv"), ",good,mine,"));
    CHECK(contains(read_text(store / "reports/smoke/report.html"), "<p>mine</p>"));
}

TEST_CASE("A merge joins tags and notes of both sides, and once more changes nothing",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path here = store_in(folder, "here");
    const fs::path there = folder / "there";
    // Further, or as far, than the one here: both ways of merging.
    const bool is_taken = GENERATE(false, true);
    train(there, {"--only", kOneRun});
    if (is_taken) {
        CHECK(lockstep({"rm", kOneRun, "--yes", "--store", here.string()}).exit_code == 0);
    }
    if (!is_taken) tag(here, {kOneRun, "+here", "--note", "ours"});
    tag(there, {kOneRun, "+there", "--note", "theirs"});
    for (int time = 0; time < 2; ++time) {
        CHECK(lockstep({"merge", there.string(), "--store", here.string()}).exit_code == 0);
        CHECK(words_of(here) == (is_taken ? "there,theirs\n" : "here there,ours; theirs\n"));
        CHECK(words_of(there) == "there,theirs\n");
    }
}

}  // namespace
}  // namespace lockstep::tests
