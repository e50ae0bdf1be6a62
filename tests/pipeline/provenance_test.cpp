#include "pipeline/recording/provenance.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;

bool git(const fs::path& folder, const std::string& words) {
    const std::string command = "git -c user.name=n -c user.email=e -C '" + folder.string() + "' " +
                                words + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
}

}  // namespace

TEST_CASE("provenance: a command line is one that a shell takes as it was typed") {
    CHECK(shell_text({"lockstep", "run", "my.toml", "--set", "train.epochs=2"}) ==
          "lockstep run my.toml --set train.epochs=2");
    CHECK(shell_text({"a b", "", "it's", "$x"}) == R"('a b' '' 'it'\''s' '$x')");
    const std::string words =
        shell_text({"[", "it's  $HOME `x` \\ \"", "=", "it's  $HOME `x` \\ \"", "]"});
    CHECK(std::system(words.c_str()) == 0);  // the shell's own word on it
}

TEST_CASE("provenance: a folder without git says nothing") {
    const TemporaryDirectory folder;
    CHECK(describe_source(folder / "my.toml").empty());
    CHECK(describe_source(folder / "no folder" / "my.toml").empty());
}

TEST_CASE("provenance: the commit, what was changed since, and a file that is not in it",
          "[.needs-git]") {
    const TemporaryDirectory folder;
    REQUIRE(git(folder.path(), "init"));
    std::ofstream(folder / "my.toml") << "schema = 1\n";
    CHECK(describe_source(folder / "my.toml").empty());  // no commit yet
    REQUIRE(git(folder.path(), "add my.toml"));
    REQUIRE(git(folder.path(), "commit -m one"));
    const std::string clean = describe_source(folder / "my.toml");
    CAPTURE(clean);
    CHECK(clean.starts_with("commit "));
    CHECK(clean.ends_with(", clean"));
    CHECK(clean.size() == std::string("commit , clean").size() + 40);
    std::ofstream(folder / "other.toml") << "\n";
    CHECK(describe_source(folder / "my.toml") == clean);
    CHECK(describe_source(folder / "other.toml") == clean + ", other.toml is not in it");
    std::ofstream(folder / "my.toml") << "schema = 2\n";
    CHECK(describe_source(folder / "my.toml").ends_with(", with uncommitted changes"));
}

}  // namespace lockstep::pipeline
