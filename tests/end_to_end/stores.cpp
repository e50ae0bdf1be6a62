#include "tests/end_to_end/stores.hpp"

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {

namespace fs = std::filesystem;

const fs::path& finished_store() {
    static const TemporaryDirectory folder;
    static const fs::path path = [] {
        const Result result = lockstep({"run", smoke_file(), "--store", (folder / "store").string(),
                                        "--ranks", "2", "--quiet"});
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
        return folder / "store";
    }();
    return path;
}

std::string rows(const fs::path& store, const std::string& sql) {
    const Result result = lockstep({"query", sql, "--store", store.string(), "--format", "csv"});
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    return result.output.substr(result.output.find('\n') + 1);
}

std::string log_of(const fs::path& store, const std::string& run) {
    if (!fs::exists(store / "runs") || fs::is_empty(store / "runs")) return "";
    return read_text(run_folder(store, run) / "log.txt");
}

}  // namespace lockstep::tests
