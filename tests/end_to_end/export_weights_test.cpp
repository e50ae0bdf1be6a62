// `lockstep export weights`: what users say and get. What other programs make of the files is
// tested in tests/interop.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kFormats{"keras-h5", "keras-weights", "keras", "onnx"};

std::string end_of_name(const std::string& format) {
    if (format == "keras-h5") return ".h5";
    return format == "keras-weights" ? ".weights.h5" : "." + format;
}

// A store with the run batch-normalized of experiments/smoke.toml, for all tests of this file.
const fs::path& store() {
    static const TemporaryDirectory folder;
    static const fs::path path = [] {
        const Result result =
            lockstep({"run", smoke_file(), "--store", (folder / "store").string(), "--ranks", "1",
                      "--quiet", "--only", "batch-normalized", "--only", "logits-seed1"});
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
        return folder / "store";
    }();
    return path;
}

Result export_weights(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "export");
    arguments.insert(arguments.end(), {"--store", store().string()});
    return lockstep(arguments);
}

TEST_CASE("export: every format, twice, gives the same bytes", "[end_to_end][export]") {
    const TemporaryDirectory folder;
    for (const std::string& format : kFormats) {
        CAPTURE(format);
        const std::string first = (folder / ("first" + end_of_name(format))).string();
        const std::string second = (folder / ("second" + end_of_name(format))).string();
        const Result result =
            export_weights({"weights", "batch-normalized", "--format", format, "--out", first});
        INFO(result.errors);
        CHECK(result.exit_code == 0);
        CHECK(result.output == first + "\n");
        CHECK(result.errors.find("divisor [255.0,255.0,255.0]") != std::string::npos);
        // `weights` may be left out, and the order of words is free.
        CHECK(export_weights({"--format", format, "--out", second, "batch-normalized"}).exit_code ==
              0);
        CHECK(read_text(first).size() > 1000);
        CHECK(read_text(first) == read_text(second));
    }
}

// Keras' files have an optimizer and a loss, and nothing that changes its rate by the epoch.
TEST_CASE("export: settings that Keras' files have no word for are told", "[end_to_end][export]") {
    const TemporaryDirectory folder;
    const std::string weights = (run_folder(store(), "batch-normalized") / "final.h5").string();
    const auto told = [&](const std::string& format) {
        const Result result =
            export_weights({weights, "--file", smoke_file(), "--run", "batch-normalized", "--set",
                            "train.schedule={ name = \"cosine\" }", "--format", format, "--out",
                            (folder / ("net" + end_of_name(format))).string()});
        INFO(result.errors);
        CHECK(result.exit_code == 0);
        return result.errors.find("no word for schedule") != std::string::npos;
    };
    CHECK(told("keras"));
    CHECK(told("keras-h5"));
    CHECK_FALSE(told("keras-weights"));  // which says nothing of a training
    CHECK_FALSE(told("onnx"));
}

TEST_CASE("export: an exported .h5 evaluates as the run did", "[end_to_end][export]") {
    const TemporaryDirectory folder;
    const std::string file = (folder / "portable.h5").string();
    REQUIRE(export_weights({"batch-normalized", "--format", "keras-h5", "--out", file}).exit_code ==
            0);
    const std::string weights = (run_folder(store(), "batch-normalized") / "final.h5").string();
    const auto figures = [&](const std::string& path) {
        const Result result = lockstep({"evaluate", path, "--file", smoke_file(), "--run",
                                        "batch-normalized", "--format", "csv"});
        CHECK(result.exit_code == 0);
        return result.output.substr(result.output.find(",test,"));
    };
    CHECK(figures(file) == figures(weights));
}

TEST_CASE("export and predict take the best weights, the final ones, or a file's",
          "[end_to_end][export]") {
    const TemporaryDirectory folder;
    // The greatest loss is the first epoch's, so that the best weights are not the final ones.
    const std::string results = (folder / "store").string();
    const Result trained = lockstep(
        {"run", smoke_file(), "--store", results, "--ranks", "1", "--only", "batch-normalized",
         "--set", "run.batch-normalized.checkpoint={ monitor = \"val_loss\", mode = \"max\" }"});
    REQUIRE(trained.exit_code == 0);
    const fs::path files = run_folder(folder / "store", "batch-normalized");
    std::ofstream(folder / "a.ppm") << "P3 2 1 255 255 0 0 0 0 255";
    const auto predicted = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "predict");
        words.insert(words.end(), {(folder / "a.ppm").string(), "--store", results, "--top", "10",
                                   "--format", "csv"});
        const Result result = lockstep(words);
        CHECK(result.exit_code == 0);
        return result.output;
    };
    const auto exported = [&](std::vector<std::string> words) {
        const std::string out = (folder / "out.onnx").string();
        words.insert(words.begin(), "export");
        words.insert(words.end(), {"--format", "onnx", "--out", out, "--store", results});
        CHECK(lockstep(words).exit_code == 0);
        return read_text(out);
    };
    const std::string best = (files / "best.h5").string(), last = (files / "final.h5").string();
    CHECK(predicted({best}) != predicted({last}));
    CHECK(predicted({"batch-normalized", "--weights", "best"}) == predicted({best}));
    CHECK(predicted({"batch-normalized", "--weights", best}) == predicted({best}));
    CHECK(predicted({"batch-normalized", "--weights", "final"}) == predicted({last}));
    CHECK(predicted({"batch-normalized"}) == predicted({last}));
    CHECK(exported({best}) != exported({last}));
    CHECK(exported({"batch-normalized", "--weights", "best"}) == exported({best}));
    CHECK(exported({"batch-normalized", "--weights", best}) == exported({best}));
    CHECK(exported({"batch-normalized", "--weights", "final"}) == exported({last}));
}

TEST_CASE("export: the standard scale stands in the weights file", "[end_to_end][export]") {
    const TemporaryDirectory folder;
    const std::string own = (folder / "own.onnx").string();
    const std::string other = (folder / "other.onnx").string();
    CHECK(export_weights({"logits-seed1", "--format", "onnx", "--out", own}).exit_code == 0);
    CHECK(export_weights(
              {"logits-seed1", "--format", "onnx", "--out", other, "--set", "data.seed=99"})
              .exit_code == 0);
    CHECK(read_text(other) == read_text(own));
    // Asked for by hand it is taken from the data, which must be those of the training.
    const Result asked = export_weights({"logits-seed1", "--format", "onnx", "--out", other,
                                         "--set", "data.seed=99", "--set", "data.scale=standard"});
    CHECK(asked.exit_code == 65);
    CHECK(asked.errors.find("another data set") != std::string::npos);
}

TEST_CASE("export: mistakes are named, and nothing is written", "[end_to_end][export]") {
    struct Mistake {
        std::vector<std::string> words;
        int exit_code;
        std::string text;
    };
    const TemporaryDirectory folder;
    const std::string out = (folder / "model.bin").string();
    const std::string weights = (run_folder(store(), "batch-normalized") / "final.h5").string();
    const std::string before = read_text(weights);
    const std::vector<Mistake> mistakes{
        {{"batch-normalized"}, 64, "--format"},
        {{"batch-normalized", "--format", "pickle"}, 64, "pickle"},
        {{"batch-normalized", "--format", "keras", "--out", out}, 64, ".keras"},
        {{"batch-normalized", "--format", "keras-h5", "--out", "a.weights.h5"},
         64,
         "keras-weights"},
        {{weights, "--format", "keras-h5", "--out", weights}, 64, "the file to export"},
        {{"nobody", "--format", "onnx", "--out", out}, 66, "nobody"},
        {{out + ".h5", "--format", "onnx", "--out", out}, 66, "model.bin.h5"},
        {{smoke_file(), "--format", "onnx", "--out", out, "--file", smoke_file(), "--run",
          "batch-normalized"},
         65,
         "smoke.toml"},
        {{weights, "--format", "onnx", "--out", out, "--file", smoke_file(), "--run",
          "three-classes"},
         65,
         "another network"},
        {{"batch-normalized", "--format", "onnx", "--out", (folder / "no/such").string()},
         73,
         "no/such"},
    };
    for (const Mistake& mistake : mistakes) {
        CAPTURE(mistake.words);
        const Result result = export_weights(mistake.words);
        CHECK(result.exit_code == mistake.exit_code);
        INFO(result.errors);
        CHECK(result.errors.find(mistake.text) != std::string::npos);
    }
    CHECK(fs::is_empty(folder.path()));
    CHECK(read_text(weights) == before);
}

}  // namespace
}  // namespace lockstep::tests
