// evaluate: which weights, and what became of each class: the counts of predictions.h5.

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "storage/weights/predictions_file.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Result evaluate(std::vector<std::string> words) {
    words.insert(words.begin(), "evaluate");
    words.insert(words.end(), {"--store", finished_store().string()});
    return lockstep(words);
}

Json evaluate_json(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Result result = evaluate(words);
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return Json::parse(result.output);
}

// Counted from the file of a run, by label and the first class of the highest probability.
std::map<std::pair<std::string, std::string>, int> counted(const std::string& run) {
    const auto stored =
        storage::read_predictions(run_folder(finished_store(), run) / "predictions.h5");
    const std::size_t classes = stored.class_names.size();
    std::map<std::pair<std::string, std::string>, int> counts;
    for (std::size_t sample = 0; sample < stored.labels.size(); ++sample) {
        const float* row = stored.probabilities.data() + sample * classes;
        const auto best = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
        ++counts[{stored.class_names[stored.labels[sample]], stored.class_names[best]}];
    }
    return counts;
}

TEST_CASE("evaluate counts classes and confusions as the stored predictions have them",
          "[end_to_end]") {
    const std::string run = GENERATE("batch-normalized", "three-classes", "logits-seed1");
    CAPTURE(run);
    const auto expected = counted(run);
    std::map<std::pair<std::string, std::string>, int> found;
    for (const Json& row : evaluate_json({run, "--by", "confusion"}))
        found[{row.at("class"), row.at("taken_for")}] = row.at("samples");
    CHECK(found == expected);
    const Json classes = evaluate_json({run, "--by", "class"});
    CHECK(classes.size() == (run == "three-classes" ? 3 : 10));
    double correct = 0.0, samples = 0.0;
    for (const Json& row : classes) {
        const std::string name = row.at("class");
        int of_class = 0, as_class = 0;
        for (const auto& [pair, count] : expected) {
            if (pair.first == name) of_class += count;
            if (pair.second == name) as_class += count;
        }
        const auto right = expected.find({name, name});
        const int hits = right == expected.end() ? 0 : right->second;
        CHECK(row.at("samples") == of_class);
        CHECK(row.at("correct") == hits);
        CHECK(row.at("recall").get<double>() == Approx(hits / static_cast<double>(of_class)));
        CHECK(row.at("precision").is_null() == (as_class == 0));
        CHECK(row.at("f1").get<double>() == Approx(2.0 * hits / (of_class + as_class)));
        correct += hits;
        samples += of_class;
    }
    const Json whole = evaluate_json({run});
    REQUIRE(whole.size() == 1);
    CHECK(whole.at(0).at("accuracy").get<double>() == Approx(correct / samples));
}

TEST_CASE("evaluate shows people the whole, the classes, and what was taken for what",
          "[end_to_end]") {
    const std::string text = evaluate({"three-classes"}).output;
    for (const std::string part :
         {"result\n", "accuracy", "classes\n", "recall", "confusion", "airplane  automobile  bird"})
        CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("evaluate takes the best weights, the final ones, or a file's into a run's network",
          "[end_to_end]") {
    const fs::path files = run_folder(finished_store(), "batch-normalized");
    const TemporaryDirectory elsewhere;
    const std::string bare = (elsewhere / "bare.h5").string();
    fs::copy_file(files / "best.h5", bare);
    const auto loss = [](const std::vector<std::string>& words) {
        return evaluate_json(words).at(0).at("loss").get<double>();
    };
    const double final_loss = loss({"batch-normalized"});
    CHECK(loss({"batch-normalized", "--weights", "final"}) == final_loss);
    CHECK(final_loss == std::stod(rows(finished_store(),
                                       "select test_loss from v_runs where name = "
                                       "'batch-normalized'")));
    const double best_loss = loss({"batch-normalized", "--weights", "best"});
    CHECK(best_loss == loss({(files / "best.h5").string()}));
    CHECK(best_loss == loss({"batch-normalized", "--weights", bare}));
    CHECK(evaluate({bare, "--weights", "best"}).exit_code == 64);
    const Result none = evaluate({"logits-seed1", "--weights", "best"});
    CHECK(none.exit_code == 66);
    CHECK(none.errors.find("has no best.h5: it is kept where") != std::string::npos);
    CHECK(evaluate({"logits-seed1", "--weights", bare}).exit_code == 65);  // another network
}

// Counted from the file of a run: how many have fewer than five probabilities above the label's.
double among_five(const std::string& run) {
    const auto stored =
        storage::read_predictions(run_folder(finished_store(), run) / "predictions.h5");
    const std::size_t classes = stored.class_names.size();
    double count = 0.0;
    for (std::size_t sample = 0; sample < stored.labels.size(); ++sample) {
        const float* row = stored.probabilities.data() + sample * classes;
        const float own = row[stored.labels[sample]];
        count += std::count_if(row, row + classes, [=](float p) { return p > own; }) < 5 ? 1 : 0;
    }
    return count / static_cast<double>(stored.labels.size());
}

TEST_CASE("evaluate and the store have top-5 accuracies, of more than five classes",
          "[end_to_end]") {
    for (const std::string run : {"batch-normalized", "logits-seed1"}) {
        CAPTURE(run);
        const double expected = among_five(run);
        const Json whole = evaluate_json({run}).at(0);
        CHECK(whole.at("top_5_accuracy").get<double>() == Approx(expected));
        CHECK(whole.at("top_5_accuracy") >= whole.at("accuracy"));
        CHECK(std::stod(
                  rows(finished_store(), "select test_top_5_accuracy from v_runs where name = '" +
                                             run + "'")) == Approx(expected));
    }
    CHECK_FALSE(evaluate_json({"three-classes"}).at(0).contains("top_5_accuracy"));
    CHECK(rows(finished_store(),
               "select count(*), count(val_top_5_accuracy) from v_epochs where name = "
               "'three-classes' or validation_count = 0")
              .ends_with(",0\n"));
    CHECK(rows(finished_store(),
               "select count(*) from v_epochs where name = 'batch-normalized' and "
               "val_top_5_accuracy not between val_accuracy and 1") == "0\n");
}

TEST_CASE("evaluate takes the views that a run was tested with, unless it is told others",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string store = (folder / "store").string();
    const Result trained =
        lockstep({"run", smoke_file(), "--only", "three-classes", "--set",
                  "data.test_views=mirror_translate", "--store", store, "--ranks", "2"});
    INFO(trained.errors);
    REQUIRE(trained.exit_code == 0);
    CHECK(trained.errors.find("samples, views mirror_translate, weights") != std::string::npos);
    const auto evaluated = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"evaluate", "three-classes", "--store", store});
        more.insert(more.end(), {"--format", "json"});
        const Result result = lockstep(more);
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
        return Json::parse(result.output).at(0);
    };
    const Json own = evaluated({});
    CHECK(own.at("views") == "mirror_translate");
    CHECK(own.at("loss").get<double>() == std::stod(rows(store, "select test_loss from v_runs")));
    // It trains as it did without views.
    const Json plain = evaluated({"--views", "image"});
    CHECK(plain.at("loss") != own.at("loss"));
    CHECK(plain.at("loss").get<double>() ==
          std::stod(
              rows(finished_store(), "select test_loss from v_runs where name = 'three-classes'")));
    CHECK(evaluated({"--views", "mirror"}).at("loss") != own.at("loss"));
    CHECK(evaluated({"--split", "training"}).at("views") == "image");
    const std::string shown = lockstep({"show", "three-classes", "--store", store}).output;
    CHECK(shown.find("mirror_translate") != std::string::npos);
    REQUIRE(lockstep({"report", "--store", store}).exit_code == 0);
    const std::string reports = store + "/reports/smoke/report";
    CHECK(read_text(reports + ".html").find("several views") != std::string::npos);
    CHECK(read_text(reports + ".md").find("several views of each image (mirror_translate)") !=
          std::string::npos);
    CHECK(evaluate({"three-classes", "--views", "two"}).exit_code == 64);
}

}  // namespace
}  // namespace lockstep::tests
