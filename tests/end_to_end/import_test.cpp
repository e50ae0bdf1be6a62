// A network of every layer, as real Keras saved it (tests/golden/keras): imported, asked, trained
// and exported again.

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/weights/weights_file.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/worst_error.hpp"

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
        worst = worse_of(worst, std::abs(row.at("probability").get<double>() - wanted));
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
    CHECK(worst_difference(imported.predict(imported.path("functional-weights.h5"),
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
validation = { first = 43 }
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
        REQUIRE(lockstep({"import", file, "--out", path("net.toml"), "--weights",
                          path("net-weights.h5")})
                    .exit_code == 0);
        const std::string imported = read_text(path("net.toml"));
        CHECK(imported.find("scale = \"standard\"  # by the mean") != std::string::npos);
        CHECK(imported.find("classes = [\"ship\", \"cat\", \"frog\"]") != std::string::npos);
        // The scale is the one of the 157 images that were trained on, not of the 200 of this file.
        CHECK(figures({path("net-weights.h5"), "--file", path("net.toml"), "--set",
                       "data.dataset=\"synthetic\"", "--set", "data.training_samples=200", "--set",
                       "data.test_samples=60"}) == own);
        const Result onnx =
            lockstep({"export", "weights", file, "--format", "onnx", "--out", path("net.onnx")});
        CHECK(onnx.errors.find("divisor [255") == std::string::npos);
    }
}

TEST_CASE("import replaces no file that it was not told to", "[import]") {
    const TemporaryDirectory folder;
    fs::copy_file(kModel, folder / "net.keras");
    const std::string weights = (folder / "net-weights.h5").string();
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

// Keras takes .weights.h5 for weights by the places of layers, and loads such a file so.
TEST_CASE("import's weights are no file of a name that Keras keeps for others", "[import]") {
    const TemporaryDirectory folder;
    const std::string toml = (folder / "net.toml").string();
    const Result refused = lockstep({"import", kModel.string(), "--out", toml, "--weights",
                                     (folder / "net.weights.h5").string()});
    CHECK(refused.exit_code == 64);
    CHECK_FALSE(fs::exists(toml));
    CHECK_FALSE(fs::exists(folder / "net.weights.h5"));
}

TEST_CASE("damaged training settings leave nothing", "[import]") {
    const TemporaryDirectory folder;
    const storage::KerasModel model{
        "net",
        {{"input_1", "InputLayer", R"({"name":"input_1","batch_input_shape":[null,8,8,3]})"},
         {"flatten", "Flatten", R"({"name":"flatten"})"},
         {"dense", "Dense", R"({"name":"dense","units":3})"}},
        "[5]"};
    const storage::NamedArrays weights{{"dense", "kernel", {192, 3}, std::vector<float>(576, 0.5F)},
                                       {"dense", "bias", {3}, {0.0F, 1.0F, 2.0F}}};
    const std::string file = (folder / "net.h5").string();
    storage::write_model_file(file, model, weights);
    const Result refused = lockstep({"import", file, "--out", (folder / "net.toml").string()});
    CHECK(refused.exit_code == 65);
    CHECK(refused.errors.find("its training settings are") != std::string::npos);
    CHECK_FALSE(fs::exists(folder / "net.toml"));
    CHECK_FALSE(fs::exists(folder / "net-weights.h5"));
    // What has no word here is told and left out.
    storage::KerasModel schedule = model;
    schedule.training_config_json = R"({"optimizer_config":{"class_name":5},"loss":"mse"})";
    storage::write_model_file(file, schedule, weights);
    const Result told = lockstep({"import", file, "--out", (folder / "net.toml").string()});
    CHECK(told.exit_code == 0);
    CHECK(told.errors.find("optimizer = {\"class_name\":5}") != std::string::npos);
    CHECK(told.errors.find("loss = \"mse\"") != std::string::npos);
    CHECK(read_text(folder / "net.toml").find("# left out") != std::string::npos);
    // Nor does the file of weights say how it is to be trained.
    CHECK(storage::read_model_file(folder / "net-weights.h5").training_config_json.empty());
}

TEST_CASE("a model without an end to its depth ends no program", "[import]") {
    const TemporaryDirectory folder;
    const std::string model = (folder / "model.json").string();
    std::ofstream(model) << R"({"class_name":"Functional","config":{"layers":[{"class_name":"Add",)"
                         << R"("config":{"name":"a"},"inbound_nodes":)" << std::string(100'000, '[')
                         << std::string(100'000, ']') << "}]}}";
    CHECK(lockstep({"import", model}).exit_code == 65);
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
