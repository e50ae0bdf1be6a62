// Every verb that the program's own help lists explains itself, and the README tells of it.

#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using Words = std::vector<std::string>;

Words with(Words words, const std::string& last) {
    words.push_back(last);
    return words;
}

std::string help_of(const Words& verb) {
    const Result help = lockstep(with(verb, "--help"));
    CHECK(help.exit_code == 0);
    CHECK(help.errors.empty());
    return help.output;
}

// The first words of the lines below "Verbs:"; none where a verb has no verbs of its own.
Words verbs_in(const std::string& help) {
    std::istringstream lines(help);
    Words verbs;
    bool is_list = false;
    for (std::string line; std::getline(lines, line);) {
        if (is_list && line.empty()) break;
        if (is_list) verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
        if (line == "Verbs:") is_list = true;
    }
    return verbs;
}

// The verbs of the README's table, each as it stands there between backticks: "run FILE".
Words verbs_in_readme() {
    std::istringstream lines(read_text(LOCKSTEP_README));
    Words verbs;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `")) continue;
        const std::string cell = line.substr(0, line.find(" | "));
        for (std::size_t place = 0; (place = cell.find('`', place)) != std::string::npos;) {
            const std::size_t end = cell.find('`', place + 1);
            verbs.push_back(cell.substr(place + 1, end - place - 1));
            place = end + 1;
        }
    }
    return verbs;
}

bool is_in_readme(const std::string& verb) {
    for (const std::string& entry : verbs_in_readme())
        if (entry == verb || entry.starts_with(verb + " ")) return true;
    return false;
}

TEST_CASE("Every verb has help with examples and stands in the README", "[end_to_end]") {
    const Words verbs = verbs_in(help_of({}));
    CHECK(verbs.size() >= 15);
    for (const std::string& verb : verbs) {
        INFO(verb);
        const std::string help = help_of({verb});
        const std::size_t examples = help.find("Examples:\n");
        CHECK(examples != std::string::npos);
        CHECK(help.find("lockstep " + verb, examples) != std::string::npos);
        CHECK(is_in_readme(verb));
    }
}

TEST_CASE("Verbs of a verb have help too, and stand in its help", "[end_to_end]") {
    std::size_t found = 0;
    for (const std::string& verb : verbs_in(help_of({}))) {
        const std::string help = help_of({verb});
        for (const std::string& part : verbs_in(help)) {
            INFO(verb << " " << part);
            ++found;
            CHECK(help.find("lockstep " + verb + " " + part) != std::string::npos);
            CHECK(help_of({verb, part}).find("Examples:\n") != std::string::npos);
        }
    }
    CHECK(found >= 5);  // of `export` and `bench`
}

TEST_CASE("The README's table names no verb that is not there", "[end_to_end]") {
    const Words entries = verbs_in_readme();
    CHECK(entries.size() >= 15);
    for (const std::string& entry : entries) {
        INFO(entry);
        CHECK(lockstep({entry.substr(0, entry.find(' ')), "--help"}).exit_code == 0);
    }
}

}  // namespace
}  // namespace lockstep::tests
