#include "tests/support/needs.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace lockstep::tests {
namespace {

constexpr const char* kCifar10Variable = "LOCKSTEP_DATA";
constexpr const char* kOracleVariable = "LOCKSTEP_ORACLE";
constexpr const char* kFashionMnist =
    "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
constexpr const char* kGerman = "/usr/share/i18n/locales/de_DE";

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::filesystem::path folder_of(const char* name) {
    const std::string folder = variable(name);
    if (folder.empty()) {
        throw std::runtime_error(std::string(name) + " is not set: which folder is it?");
    }
    return folder;
}

bool has_onnxruntime() {
    return std::system("node --eval \"require.resolve('onnxruntime-node')\" >/dev/null 2>&1") == 0;
}

bool has_program(const char* name) {
    return std::system(("command -v " + std::string(name) + " >/dev/null").c_str()) == 0;
}

bool has_mounts() {
    return std::system("unshare -m sh -c 'mount --bind /tmp /tmp' >/dev/null 2>&1") == 0;
}

std::vector<std::string> take_needs(std::vector<char*>& arguments) {
    std::vector<std::string> needs;
    for (auto word = arguments.begin(); word != arguments.end();) {
        if (std::string_view(*word) != "--needs") {
            ++word;
            continue;
        }
        if (word + 1 == arguments.end()) throw std::invalid_argument("--needs what?");
        needs.emplace_back(word[1]);
        word = arguments.erase(word, word + 2);
    }
    return needs;
}

bool is_required(const std::string& need) {
    std::istringstream list(variable("LOCKSTEP_REQUIRE"));
    for (std::string required; std::getline(list, required, ',');) {
        if (required == need) return true;
    }
    return false;
}

Absence absence_of(const Need& need, const std::string& program) {
    const bool must = is_required(need.name);
    return {.exit_code = must ? EXIT_FAILURE : kSkipped,
            .message = std::string(must ? "required: " : "skipped: ") + program + " needs " +
                       need.name + ": " + need.if_absent};
}

}  // namespace

std::vector<Need> common_needs() {
    const auto is_set = [](const char* name) { return [name] { return !variable(name).empty(); }; };
    return {
        {"cifar10", is_set(kCifar10Variable),
         "LOCKSTEP_DATA is not set (the folder with data_batch_1.bin; scripts/fetch-cifar10.sh)"},
        {"fashion_mnist", [] { return std::filesystem::exists(kFashionMnist); },
         "its files are not there (apt-get install dataset-fashion-mnist)"},
        {"oracle", is_set(kOracleVariable),
         "LOCKSTEP_ORACLE is not set (a folder with golden steps of other programs)"},
        {"onnxruntime", has_onnxruntime,
         "no Node.js that finds the package onnxruntime-node (scripts/install-onnxruntime.sh)"},
        {"chromium", [] { return has_program("chromium") && has_program("node"); },
         "there is no chromium, or no node (apt-get install chromium nodejs)"},
        {"fish", [] { return has_program("fish"); }, "there is no fish (apt-get install fish)"},
        {"git", [] { return has_program("git"); }, "there is no git (apt-get install git)"},
        {"locales", [] { return has_program("localedef") && std::filesystem::exists(kGerman); },
         "the sources of locales are not there (apt-get install locales)"},
        {"mounts", has_mounts,
         "a mount of its own takes root and CAP_SYS_ADMIN (unshare -m from util-linux)"},
        {"python3", [] { return has_program("python3"); },
         "there is no python3 (apt-get install python3)"},
        {"zsh", [] { return has_program("zsh"); }, "there is no zsh (apt-get install zsh)"},
    };
}

std::optional<Absence> absent_need(std::vector<char*>& arguments, std::span<const Need> known) {
    const std::string program = std::filesystem::path(arguments.at(0)).filename();
    for (const std::string& name : take_needs(arguments)) {
        const auto need = std::ranges::find(known, name, &Need::name);
        if (need == known.end()) throw std::invalid_argument("nobody knows the need " + name);
        if (!need->is_here()) return absence_of(*need, program);
    }
    return std::nullopt;
}

std::filesystem::path cifar10_folder() { return folder_of(kCifar10Variable); }
std::filesystem::path oracle_folder() { return folder_of(kOracleVariable); }

}  // namespace lockstep::tests
