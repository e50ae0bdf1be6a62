// What differs from one user's machine to another's, and must not change a run: its language and
// clock, what another program did to the database, the files of another host.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/storage/raw_database.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

// The words in front of a command that make it one of a user with this locale, in Kathmandu. The
// locale is compiled first: few machines have more than C.
std::vector<std::string> in_language(const std::string& locale, const fs::path& folder) {
    const fs::path compiled = folder / (locale + ".UTF-8");
    const std::string compile =
        "localedef --no-archive -i " + locale + " -f UTF-8 '" + compiled.string() + "' 2>/dev/null";
    REQUIRE(std::system(compile.c_str()) == 0);
    return {"env", "LOCPATH=" + folder.string(), "LC_ALL=" + locale + ".UTF-8",
            "TZ=Asia/Kathmandu"};
}

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

constexpr const char* kFigures =
    "select epoch, loss, accuracy, learning_rate, weights_digest from epochs order by epoch";

TEST_CASE("Decimal commas, Turkish letters, another time zone: same bytes, same texts, UTC",
          "[.needs-locales][end_to_end]") {
    const TemporaryDirectory folder;
    const std::string locale = GENERATE("de_DE", "tr_TR");
    const std::vector<std::string> language = in_language(locale, folder.path());
    // The system's own programs follow it.
    REQUIRE(run_to_end(joined(language, {"locale", "decimal_point"})).output == ",\n");
    REQUIRE(run_to_end(joined(language, {"date", "+%z"})).output == "+0545\n");

    const fs::path plain = folder / "plain";
    const fs::path store = folder / "store";
    REQUIRE(lockstep(arguments_of_two(plain)).exit_code == 0);
    const Result ended = run_to_end(joined(language, lockstep_command(arguments_of_two(store))));
    INFO(ended.errors);
    REQUIRE(ended.exit_code == 0);
    CHECK(final_weights(store) == expected_weights());

    const auto figures = [&](const fs::path& of) {
        return run_to_end(joined(language, lockstep_command({"query", kFigures, "--format", "csv",
                                                             "--store", of.string()})));
    };
    const Result written = figures(store);
    INFO(written.errors);
    REQUIRE(written.exit_code == 0);
    CHECK(contains(written.output, "0."));
    CHECK(written.output == figures(plain).output);
    CHECK(rows(plain, kFigures) == written.output.substr(written.output.find('\n') + 1));
    // Kathmandu is 5:45 ahead.
    CHECK(rows(store,
               "select abs(julianday(started_utc) - julianday('now')) < 0.1, "
               "started_utc like '%Z' from attempts") == "1,1\n");
    const std::string report = read_text(store / "reports" / "smoke" / "report.csv");
    CHECK(contains(report, "0."));
    CHECK_FALSE(std::regex_search(report, std::regex("\"0,[0-9]+\"")));
}

// Which journal a database's file asks for: byte 18 of its header, 1 or 2 (WAL).
// https://www.sqlite.org/fileformat.html. Read by another process: closing a file gives up all
// locks that a process has on it, the browser's too.
int journal_of(const fs::path& store) {
    return std::stoi(
        run_to_end({"od", "-An", "-tu1", "-j18", "-N1", (store / "lockstep.db").string()}).output);
}

TEST_CASE("A database that its user has switched to WAL goes on, with a journal again",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const bool stays_open = GENERATE(false, true);
    const Result killed = run_to_end(with_variable("LOCKSTEP_FAULT=step.begin@rank=0@step=17:kill",
                                                   mpirun_command(2, rank_arguments(store))));
    REQUIRE(killed.exit_code != 0);
    std::optional<RawDatabase> browser(store / "lockstep.db");
    browser->exec("PRAGMA journal_mode = WAL; CREATE TABLE mine(x)");
    REQUIRE(journal_of(store) == 2);
    if (!stays_open) browser.reset();

    CHECK(rows(store, "select count(*) from runs") == "1\n");
    const Result trained = lockstep(arguments_of_two(store));
    INFO(trained.errors);
    CHECK(trained.exit_code == 0);
    CHECK(final_weights(store) == expected_weights());
    // What the browser writes lies in lockstep.db-wal until it closes: no litter.
    if (browser) browser->exec("INSERT INTO mine VALUES (7)");
    CHECK(lockstep({"fsck", "--repair", "--store", store.string()}).exit_code == 0);
    CHECK_FALSE(fs::exists(store / "lost+found"));
    CHECK(rows(store, "select count(*) from mine") == (browser ? "1\n" : "0\n"));
    CHECK(journal_of(store) == (stays_open ? 2 : 1));
}

TEST_CASE("The experiment file of rank 0 counts, whatever another host has under its name",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string other =
        GENERATE("schema = 1\n[experiment]\nname = \"another\"\n", "= no TOML");
    const fs::path file = folder / "smoke.toml";
    std::ofstream(file) << other;
    std::vector<std::string> second = rank_arguments(store);
    second.at(1) = file.string();
    const Result ended = run_to_end(
        mpirun_of_two(lockstep_command(rank_arguments(store)), lockstep_command(second)));
    INFO(ended.errors);
    CHECK(ended.exit_code == 0);
    CHECK(final_weights(store) == expected_weights());
    CHECK(rows(store, "select count(*) from experiments") == "1\n");
}

}  // namespace
}  // namespace lockstep::tests
