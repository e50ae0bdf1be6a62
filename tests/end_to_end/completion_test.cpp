// Completion in real shells, and the manual page: every verb and option that help tells.

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using Words = std::vector<std::string>;

std::string text_of(const Words& arguments) {
    const Result result = lockstep(arguments);
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return result.output;
}

// The first words of the lines below a heading of help, up to an empty line.
Words listed(const std::string& help, const std::string& heading) {
    std::istringstream lines(help);
    Words words;
    bool is_list = false;
    for (std::string line; std::getline(lines, line);) {
        if (is_list && line.empty()) break;
        const bool is_entry = is_list && line.size() > 2 && line[2] != ' ';
        if (is_entry) words.push_back(line.substr(2, line.find_first_of(" =", 2) - 2));
        if (line == heading) is_list = true;
    }
    return words;
}

// "--quiet" of "-q,--quiet".
std::string long_name(const std::string& names) { return names.substr(names.find("--")); }

struct Verb {
    Words words;
    Words options;
};

std::vector<Verb> all_verbs() {
    std::vector<Verb> verbs;
    const auto add = [&](const Words& words) {
        Words help{"help"};
        help.insert(help.end(), words.begin(), words.end());
        Verb verb{words, {}};
        for (const std::string& names : listed(text_of(help), "Options:"))
            verb.options.push_back(long_name(names));
        verbs.push_back(verb);
        return listed(text_of(help), "Verbs:");
    };
    for (const std::string& name : listed(text_of({"help"}), "Verbs:"))
        for (const std::string& part : add({name})) add({name, part});
    return verbs;
}

// The script of a shell in a file, behind it what asks for completions.
std::string output_of_shell(const Words& shell, const std::string& script) {
    const TemporaryDirectory folder;
    const std::string file = (folder / "script").string();
    std::ofstream(file) << script;
    Words command = shell;
    command.push_back(file);
    Process process(command);
    INFO(process.errors());
    CHECK(process.wait() == 0);
    CHECK(process.errors().empty());
    return process.output();
}

std::string program_folder() {
    const std::string program = lockstep_command({}).front();
    return program.substr(0, program.rfind('/'));
}

Words lines_of(const std::string& text) {
    std::istringstream stream(text);
    Words lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// What bash offers for the last word.
Words bash_offers(const Words& words) {
    std::string script = "PATH=" + program_folder() + ":$PATH\n" + text_of({"completion", "bash"});
    script += "COMP_WORDS=(";
    for (const std::string& word : words) script += '\'' + word + "' ";
    script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
              "\n_lockstep\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    return lines_of(output_of_shell({"bash"}, script));
}

Words fish_offers(const std::string& line) {
    const std::string script = "set -x PATH " + program_folder() + " $PATH\n" +
                               text_of({"completion", "fish"}) + "complete -C '" + line + "'\n";
    Words offers;
    for (const std::string& each : lines_of(output_of_shell({"fish", "--no-config"}, script)))
        offers.push_back(each.substr(0, each.find('\t')));
    return offers;
}

bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

TEST_CASE("help, -V: as people ask", "[end_to_end]") {
    CHECK(text_of({"help"}) == text_of({"--help"}));
    CHECK(text_of({"help", "run"}) == text_of({"run", "--help"}));
    CHECK(text_of({"help", "export", "weights"}) == text_of({"export", "weights", "--help"}));
    CHECK(text_of({"-V"}) == text_of({"--version"}));
    const Result unknown = lockstep({"help", "rnu"});
    CHECK(unknown.exit_code == 64);
    CHECK(unknown.errors.find("did you mean \"run\"") != std::string::npos);
}

TEST_CASE("bash completes every verb and option, words and runs", "[end_to_end]") {
    const std::vector<Verb> verbs = all_verbs();
    CHECK(verbs.size() > 20);
    for (const Verb& verb : verbs) {
        Words line{"lockstep"};
        line.insert(line.end(), verb.words.begin(), verb.words.end());
        CAPTURE(line);
        const Words above(line.begin(), line.end() - 1);
        Words first = above;
        first.emplace_back("");
        CHECK(has(bash_offers(first), line.back()));
        line.emplace_back("--");
        const Words offers = bash_offers(line);
        for (const std::string& option : verb.options) CHECK(has(offers, option));
    }
    CHECK(bash_offers({"lockstep", "ls", "--format", "j"}) == Words{"json"});
    const std::string store = finished_store().string();
    CHECK(bash_offers({"lockstep", "show", "--store", store, "batch"}) ==
          Words{"batch-normalized"});
    CHECK(bash_offers({"lockstep", "ls", "--store", store, "sm"}) == Words{"smoke"});
    CHECK(bash_offers({"lockstep", "help", "exp"}) == Words{"export"});
    CHECK(bash_offers({"lockstep", "ls", "--store", store, "--columns", "name,test_acc"}) ==
          Words{"name,test_accuracy"});
    CHECK(has(bash_offers({"lockstep", "show", "--store", store, "--sort", "val_"}), "val_loss"));
    CHECK(lockstep({"tag", "three-classes", "+paper", "--store", store}).exit_code == 0);
    CHECK(bash_offers({"lockstep", "ls", "--store", store, "--tag", "pa"}) == Words{"paper"});
    // As bash cuts --store=DIR and --format=j.
    CHECK(bash_offers({"lockstep", "ls", "--store", "=", store, "sm"}) == Words{"smoke"});
    CHECK(bash_offers({"lockstep", "ls", "--format", "=", "j"}) == Words{"json"});
    CHECK(has(bash_offers({"lockstep", "ls", "--format", "="}), "csv"));
    CHECK(has(bash_offers({"lockstep", "ls", "--store", "=", "/t"}), "/tmp"));
}

TEST_CASE("fish completes every verb and option", "[end_to_end][.needs-fish]") {
    for (const Verb& verb : all_verbs()) {
        std::string line = "lockstep";
        for (const std::string& word : verb.words) {
            CAPTURE(line, word);
            CHECK(has(fish_offers(line + ' '), word));
            line += ' ' + word;
        }
        const Words offers = fish_offers(line + " --");
        for (const std::string& option : verb.options) CHECK(has(offers, option));
    }
    CHECK(has(fish_offers("lockstep help exp"), "export"));
    const std::string store = "lockstep ls --store " + finished_store().string();
    CHECK(has(fish_offers(store + " --columns name,test_acc"), "name,test_accuracy"));
    const TemporaryDirectory folder;
    std::ofstream(folder / "my.toml") << "";
    std::ofstream(folder / "my.txt") << "";
    CHECK(fish_offers("lockstep run " + folder.path().string() + "/my") ==
          Words{folder.path().string() + "/my.toml"});
}

TEST_CASE("zsh takes its completion, which has every verb and option", "[end_to_end][.needs-zsh]") {
    const std::string script = text_of({"completion", "zsh"});
    output_of_shell({"zsh", "-f", "-n"}, script);
    for (const Verb& verb : all_verbs()) {
        CAPTURE(verb.words);
        CHECK(script.find("'" + verb.words.back() + ":") != std::string::npos);
        for (const std::string& option : verb.options)
            CHECK(script.find(option + "[") != std::string::npos);
    }
}

TEST_CASE("The manual page tells every verb and option", "[end_to_end]") {
    std::string page = text_of({"man"});
    CHECK(page.starts_with(".TH LOCKSTEP 1"));
    std::erase(page, '\\');
    for (const Verb& verb : all_verbs()) {
        CAPTURE(verb.words);
        CHECK(page.find("lockstep " + verb.words[0]) != std::string::npos);
        for (const std::string& option : verb.options)
            CHECK((option == "--help" || page.find(option) != std::string::npos));
    }
}

}  // namespace
}  // namespace lockstep::tests
