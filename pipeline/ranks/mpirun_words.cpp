#include "pipeline/ranks/mpirun_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <regex>

namespace lockstep::pipeline {
namespace {

using Words = std::match_results<std::string_view::const_iterator>;

struct Saying {
    const char* pattern;
    std::function<ProcessEnd(const Words&)> meaning;
};

const std::array<Saying, 9>& sayings() {
    static const std::array<Saying, 9> kSayings{{
        // Both break these lines, each at other places.
        {R"(process\s+rank\s+(\d+)\s+with\s+PID\s+\d+\s+on\s+node\s+(\S+))"
         R"(\s+exited\s+on\s+signal\s+(\d+ \([^)]*\)))",
         [](const Words& words) {
             return ProcessEnd{std::stoi(words[1]), words[2],
                               "was killed by signal " + words[3].str()};
         }},
        {R"(process\s+rank\s+(\d+)\s+with\s+PID\s+\d+\s+on\s+node\s+(\S+)\s+exiting\s+improperly)",
         [](const Words& words) {
             return ProcessEnd{std::stoi(words[1]), words[2], "ended early, with exit code 0"};
         }},
        {R"(Process name:\s+\[[^\n]*,(\d+)\]\s+Exit code:\s+(\d+))",
         [](const Words& words) {
             return ProcessEnd{std::stoi(words[1]), "", "ended with exit code " + words[2].str()};
         }},
        {R"(lost communication with a remote daemon\.[\s\S]*Remote daemon:[^\n]*on node (\S+))",
         [](const Words& words) {
             return ProcessEnd{{}, words[1], "no longer answers"};
         }},
        // What has started mpirun's daemons, and mpirun where that has failed.
        {R"(Connection to (\S+) closed by remote host)",
         [](const Words& words) {
             return ProcessEnd{{}, words[1], "no longer answers"};
         }},
        {R"(Timeout, server (\S+) not responding)",
         [](const Words& words) {
             return ProcessEnd{{}, words[1], "no longer answers"};
         }},
        {R"(ssh: connect to host (\S+) port \d+: ([^\r\n]+))",
         [](const Words& words) {
             return ProcessEnd{{}, words[1], "cannot be reached: " + words[2].str()};
         }},
        {R"((?:[^@\s]+@)?(\S+): (Permission denied \([^\r\n]+))",
         [](const Words& words) {
             return ProcessEnd{{}, words[1], "lets nobody in: " + words[2].str()};
         }},
        {R"(unable to reliably start one or more daemons)",
         [](const Words&) {
             return ProcessEnd{{}, "", "mpirun cannot start its daemons"};
         }},
    }};
    return kSayings;
}

}  // namespace

std::optional<ProcessEnd> first_end(std::string_view text) {
    std::optional<ProcessEnd> first;
    std::ptrdiff_t place = 0;
    for (const Saying& saying : sayings()) {
        Words words;
        if (!std::regex_search(text.begin(), text.end(), words, std::regex(saying.pattern)))
            continue;
        if (first && words.position() >= place) continue;
        first = saying.meaning(words);
        place = words.position();
    }
    return first;
}

}  // namespace lockstep::pipeline
