// A network of every layer, as real Keras saved it (tests/golden/keras): imported, asked, trained
// and exported again.

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = LOCKSTEP_GOLDEN_KERAS;
const fs::path kModel = kGolden / "functional.keras";

nlohmann::json golden() {
    std::ifstream file(kGolden / "functional.json");
    return nlohmann::json::parse(file);
}

// The golden images as files, in their order by name.
void write_images(const fs::path& folder) {
    fs::create_directories(folder);
    int number = 0;
    const nlohmann::json expected = golden();
    for (const auto& pixels : expected.at("pixels")) {
        const std::string hex = pixels.get<std::string>();
        std::ofstream file(folder / (std::to_string(number++) + ".ppm"), std::ios::binary);
        file << "P6 32 32 255\n";
        for (std::size_t i = 0; i < hex.size(); i += 2)
            file.put(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
}

// Of all classes, as `predict` tells them, against what Keras computed.
double worst_difference(const Result& predicted) {
    INFO(predicted.errors);
    REQUIRE(predicted.exit_code == 0);
    const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                         "dog",      "frog",       "horse", "ship", "truck"};
    const auto expected = golden().at("probabilities");
    const auto rows = nlohmann::json::parse(predicted.output);
    REQUIRE(rows.size() == expected.size() * names.size());
    double worst = 0.0;
    for (const auto& row : rows) {
        const std::string file = fs::path(row.at("file").get<std::string>()).stem().string();
        const auto name = std::find(names.begin(), names.end(), row.at("class").get<std::string>());
        REQUIRE(name != names.end());
        const double wanted =
            expected.at(std::stoul(file)).at(static_cast<std::size_t>(name - names.begin()));
        worst = std::max(worst, std::abs(row.at("probability").get<double>() - wanted));
    }
    return worst;
}

class Imported {
public:
    Imported() {
        write_images(folder_ / "images");
        const Result result = lockstep({"import", kModel.string(), "--out", path("model.toml")});
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    Result predict(const std::string& model, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> arguments{"predict", model,      path("images"), "--top",
                                           "10",      "--format", "json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return lockstep(arguments);
    }

private:
    TemporaryDirectory folder_;
};

}  // namespace

TEST_CASE("a model of Keras predicts here what it predicts there", "[import]") {
    const Imported imported;
    // Without any experiment file, and with the one that was made.
    CHECK(worst_difference(imported.predict(kModel.string())) < 1e-5);
    CHECK(worst_difference(imported.predict(imported.path("functional.weights.h5"),
                                            {"--file", imported.path("model.toml")})) < 1e-5);
}

TEST_CASE("an imported model trains from its weights and leaves again", "[import]") {
    const Imported imported;
    const Result run =
        lockstep({"run", imported.path("model.toml"), "--store", imported.path("store"), "--ranks",
                  "2", "--quiet", "--set", "data.dataset=\"synthetic\"", "--set",
                  "data.training_samples=64", "--set", "data.test_samples=32", "--set",
                  "train.epochs=1", "--set", "train.batch_size=16"});
    INFO(run.errors);
    REQUIRE(run.exit_code == 0);
    // The exported archive is read again.
    const Result exported = lockstep({"export", "functional", "--store", imported.path("store"),
                                      "--format", "keras", "--out", imported.path("again.keras")});
    INFO(exported.errors);
    REQUIRE(exported.exit_code == 0);
    const Result again =
        lockstep({"import", imported.path("again.keras"), "--out", imported.path("again.toml")});
    INFO(again.errors);
    REQUIRE(again.exit_code == 0);
    const auto layers = [&](const std::string& name) {
        const std::string text = read_text(imported.path(name));
        return text.substr(text.find("layers = ["));
    };
    CHECK(layers("again.toml") == layers("model.toml"));
}

// Their own files bring classes and pixel scale along, whoever reads them.
TEST_CASE("an exported network is evaluated and imported as the run it is of", "[import]") {
    const TemporaryDirectory folder;
    const auto path = [&](const std::string& name) { return (folder / name).string(); };
    std::ofstream(path("scaled.toml")) << R"(
schema = 1
[experiment]
name = "scaled"
[data]
dataset = "synthetic"
training_samples = 200
test_samples = 60
classes = ["ship", "cat", "frog"]
scale = "standard"
[train]
epochs = 1
[[run]]
name = "scaled"
layers = [{ type = "flatten" }, { type = "dense", units = 3, activation = "softmax" }]
)";
    const auto figures = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "evaluate");
        arguments.insert(arguments.end(), {"--store", path("store"), "--format", "json"});
        const Result result = lockstep(arguments);
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
        auto row = nlohmann::json::parse(result.output).at(0);
        row.erase("weights");
        return row;
    };
    REQUIRE(
        lockstep({"run", path("scaled.toml"), "--quiet", "--ranks", "1", "--store", path("store")})
            .exit_code == 0);
    const auto own = figures({"scaled"});
    for (const std::string format : {"keras", "keras-h5"}) {
        const std::string file = path(format == "keras" ? "net.keras" : "net.h5");
        REQUIRE(lockstep({"export", "scaled", "--format", format, "--out", file, "--store",
                          path("store")})
                    .exit_code == 0);
        CAPTURE(file);
        CHECK(figures({file, "--set", "data.dataset=\"synthetic\"", "--set",
                       "data.training_samples=200", "--set", "data.test_samples=60"}) == own);
        const Result imported = lockstep({"import", file, "--weights", path("net.weights.h5")});
        CHECK(imported.output.find("scale = \"standard\"  # by the mean") != std::string::npos);
        CHECK(imported.output.find("classes = [\"ship\", \"cat\", \"frog\"]") != std::string::npos);
        const Result onnx =
            lockstep({"export", "weights", file, "--format", "onnx", "--out", path("net.onnx")});
        CHECK(onnx.errors.find("divisor [255") == std::string::npos);
    }
}

TEST_CASE("import replaces no file that it was not told to", "[import]") {
    const TemporaryDirectory folder;
    fs::copy_file(kModel, folder / "net.keras");
    const std::string weights = (folder / "net.weights.h5").string();
    const std::vector<std::string> command{"import", (folder / "net.keras").string(), "--out",
                                           (folder / "net.toml").string()};
    std::ofstream(weights) << "precious";
    const Result refused = lockstep(command);
    CHECK(refused.exit_code == 73);
    CHECK(refused.errors.find("--weights FILE names another") != std::string::npos);
    CHECK(read_text(weights) == "precious");
    CHECK_FALSE(fs::exists(folder / "net.toml"));
    fs::remove(weights);
    for (int i = 0; i < 2; ++i) {  // the same again
        const Result result = lockstep(command);
        CHECK(result.exit_code == 0);
        CHECK(result.errors.find(weights) != std::string::npos);
    }
}

TEST_CASE("a model that cannot be imported leaves nothing", "[import]") {
    const TemporaryDirectory folder;
    const std::string model = (folder / "model.json").string();
    std::ofstream(model)
        << R"({"class_name":"Sequential","config":{"layers":[{"class_name":"LSTM",)"
           R"("config":{"name":"l","units":3,"batch_input_shape":[null,8,8,3]}}]}})";
    const std::string out = (folder / "model.toml").string();
    const Result result = lockstep({"import", model, "--out", out});
    CHECK(result.exit_code == 65);
    CHECK(result.errors.find("layer l (LSTM): there is no such layer here") != std::string::npos);
    CHECK_FALSE(fs::exists(out));
    CHECK(lockstep({"import", (folder / "none.keras").string()}).exit_code == 66);
}

}  // namespace lockstep::tests
