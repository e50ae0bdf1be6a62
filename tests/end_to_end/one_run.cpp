#include "tests/end_to_end/one_run.hpp"

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {

namespace fs = std::filesystem;

std::vector<std::string> rank_arguments(const fs::path& store,
                                        const std::vector<std::string>& more) {
    std::vector<std::string> all{"run",     smoke_file(),     "--only",     kOneRun,
                                 "--set",   "train.epochs=3", "--progress", "none",
                                 "--store", store.string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<std::string> arguments_of_two(const fs::path& store, std::vector<std::string> more) {
    more.insert(more.begin(), {"--ranks", "2"});
    return rank_arguments(store, more);
}

std::vector<std::string> with_variable(const std::string& variable,
                                       std::vector<std::string> command) {
    command.insert(command.begin(), {"env", variable});
    return command;
}

std::string final_weights(const fs::path& store) {
    return read_text(run_folder(store, kOneRun) / "final.h5");
}

const std::string& expected_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(lockstep(arguments_of_two(folder / "store")).exit_code == 0);
        return final_weights(folder / "store");
    }();
    return bytes;
}

void check_resumes(const fs::path& store) {
    wait_until([&] { return processes_with(store.string(), "lockstep").empty(); });
    CHECK(lockstep(arguments_of_two(store)).exit_code == 0);
    CHECK(final_weights(store) == expected_weights());
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string name_of(pid_t process) {
    const std::string name = read_text("/proc/" + std::to_string(process) + "/comm");
    return name.substr(0, name.find('\n'));
}

pid_t mpirun_on(const fs::path& store) {
    for (const pid_t process : processes_with(store.string(), "--as-rank")) {
        const std::string name = name_of(process);
        if (name == "mpirun" || name == "prterun") return process;
    }
    return 0;
}

}  // namespace lockstep::tests
