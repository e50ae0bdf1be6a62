// A store that a newer Lockstep wrote: shown with a warning, and not changed by a byte.

#include <fstream>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWarning = "warning: a newer Lockstep wrote this store";
constexpr const char* kRefusal = "is read here, but not written";

// SQLite's user_version: four bytes at offset 60 of the file, the highest first.
void make_newer(const fs::path& store) {
    std::fstream file(store / "lockstep.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(63);
    file.put(static_cast<char>(storage::kSchemaVersion + 1));
}

class NewerStore {
public:
    NewerStore() {
        fs::copy(finished_store(), path(), fs::copy_options::recursive);
        make_newer(path());
        before_ = read_text(path() / "lockstep.db");
    }
    fs::path path() const { return folder_ / "store"; }
    fs::path beside(const std::string& name) const { return folder_ / name; }
    Result lockstep_on(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--store", path().string()});
        return lockstep(arguments);
    }
    bool is_unchanged() const { return read_text(path() / "lockstep.db") == before_; }

private:
    TemporaryDirectory folder_;
    std::string before_;
};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("newer store: reading verbs show what those of its own version do, with a warning") {
    const NewerStore store;
    const std::string pages = store.beside("pages").string();
    const std::vector<std::vector<std::string>> verbs{{"ls"},
                                                      {"show", "batch-normalized"},
                                                      {"compare"},
                                                      {"export", "epochs"},
                                                      {"export", "runs"},
                                                      {"tag", "batch-normalized"},
                                                      {"tail", "batch-normalized"},
                                                      {"query", "select run from runs"}};
    for (const std::vector<std::string>& verb : verbs) {
        CAPTURE(verb.front());
        std::vector<std::string> known = verb;
        known.insert(known.end(), {"--store", finished_store().string()});
        const Result expected = lockstep(known);
        REQUIRE(expected.exit_code == 0);
        const Result result = store.lockstep_on(verb);
        CHECK(result.exit_code == 0);
        CHECK(result.output == expected.output);
        CHECK(count_of(result.errors, kWarning) == 1);
        CHECK(count_of(expected.errors, kWarning) == 0);
    }
    const Result report = store.lockstep_on({"report", "--out", pages});
    CHECK(report.exit_code == 0);
    CHECK(count_of(report.errors, kWarning) == 1);
    CHECK(fs::file_size(fs::path(pages) / "report.html") > 10000);
    CHECK(store.is_unchanged());
}

TEST_CASE("newer store: what would write it is refused, with what to do") {
    const NewerStore store;
    const std::vector<std::vector<std::string>> verbs{
        {"run", smoke_file()},
        {"run", smoke_file(), "--ranks", "1", "--retry-failed"},
        {"rm", "batch-normalized", "--yes"},
        {"tag", "batch-normalized", "+good"},
        {"merge", finished_store().string()}};
    for (const std::vector<std::string>& verb : verbs) {
        CAPTURE(verb.front());
        const Result result = store.lockstep_on(verb);
        CHECK(result.exit_code == 65);
        INFO(result.errors);
        CHECK(count_of(result.errors, kRefusal) == 1);
        CHECK(store.is_unchanged());
    }
}

TEST_CASE("newer store: fsck looks at it and mends nothing; doctor tells; gc removes nothing") {
    const NewerStore store;
    const Result fsck = store.lockstep_on({"fsck"});
    CHECK(fsck.exit_code == 0);
    CHECK(count_of(fsck.output, "only that one can mend this store") == 1);
    std::ofstream(store.path() / "of-that-version") << "content";
    CHECK(store.lockstep_on({"fsck", "--repair"}).exit_code != 0);
    CHECK(fs::exists(store.path() / "of-that-version"));
    const Result gc = store.lockstep_on({"gc", "--yes"});
    CHECK(count_of(gc.errors, "removed") == 0);
    const Result doctor = store.lockstep_on({"doctor"});
    CHECK(count_of(doctor.output, "a newer Lockstep wrote this store") == 1);
    CHECK(store.is_unchanged());
}

TEST_CASE("newer store: its runs can be merged into one of this version") {
    const NewerStore store;
    const std::string into = store.beside("into").string();
    const Result result = lockstep({"merge", store.path().string(), "--store", into});
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    CHECK(count_of(result.errors, kWarning) == 1);
    CHECK(rows(into, "select count(*) from runs") ==
          rows(finished_store(), "select count(*) from runs"));
}

}  // namespace lockstep::tests
