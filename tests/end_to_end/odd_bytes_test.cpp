// File and folder names are bytes: what was trained from and into any of them can be used.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

TEST_CASE("A run of names that are no UTF-8 is trained, read, evaluated, exported, resumed",
          "[end_to_end]") {
    const TemporaryDirectory temporary;
    const fs::path folder = temporary.path() / "d\xe4ta $HOME\xff";
    fs::create_directory(folder);
    const std::string file = (folder / "e\xffp.toml").string();
    fs::copy_file(smoke_file(), file);
    const std::string store = (folder / "store").string();
    const auto check = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--store", store});
        const Result result = lockstep(words);
        INFO(words[0] << ": " << result.errors);
        CHECK(result.exit_code == 0);
        return result;
    };
    check({"run", file, "--only", "logits-seed1", "--ranks", "2"});
    const std::string weights = (run_folder(store, "logits-seed1") / "final.h5").string();
    check({"run", file, "--only", "logits-seed1", "--ranks", "1", "--set", "train.epochs=1",
           "--set",
           "train.initial_weights=" + weights});  // another run of that name: named by its id below
    std::vector<std::string> runs;
    for (const auto& entry : fs::directory_iterator(fs::path(store) / "runs")) {
        runs.push_back(entry.path().filename().string());
    }
    REQUIRE(runs.size() == 2);
    for (const std::string& run : runs) {
        check({"evaluate", run});
        check({"export", run, "--format", "onnx", "--out", (folder / (run + ".onnx")).string()});
        check({"show", run, "--format", "json"});
    }
    check({"report", "smoke"});
    check({"run", file, "--only", "logits-seed1", "--ranks", "1"});  // finished already

    // Version 0.1.0 wrote the bytes as they were.
    const fs::path effective = fs::path(store) / "runs" / runs[0] / "effective.toml";
    std::string text = read_text(effective);
    CHECK(text.find('\xff') == std::string::npos);
    const std::size_t mark = text.find("\\xff");
    REQUIRE(mark != std::string::npos);
    text[mark] = '\xff';
    write_text(effective, text.erase(mark + 1, 3));
    check({"evaluate", runs[0]});
}

}  // namespace
}  // namespace lockstep::tests
