#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/command_line/number_options.hpp"
#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "pipeline/settings/words.hpp"
#include "pipeline/verbs/evaluate.hpp"
#include "pipeline/verbs/predict.hpp"
#include "trainer/data/dataset_kind.hpp"

namespace lockstep::pipeline {
namespace {

std::vector<std::string_view> dataset_words() {
    std::vector<std::string_view> words;
    for (const trainer::DatasetKind& kind : trainer::dataset_kinds()) words.push_back(kind.word);
    return words;
}

bool is_dataset(std::string_view word) {
    const auto& kinds = trainer::dataset_kinds();
    return std::ranges::find(kinds, word, &trainer::DatasetKind::word) != kinds.end();
}

void add_views(CLI::App& verb, std::optional<trainer::TestViews>& views, const std::string& help) {
    std::vector<Choice<std::optional<trainer::TestViews>>> choices;
    for (const auto& [word, value] : kTestViews) choices.push_back({std::string(word), value});
    add_choice(verb, "--views", views, choices, help);
}

void declare_evaluate(CLI::App& verb, EvaluateOptions& evaluate) {
    add_saved_network(verb, evaluate.network);
    add_choice<EvaluatedSplit>(verb, "--split", evaluate.split,
                               {{"test", EvaluatedSplit::test},
                                {"validation", EvaluatedSplit::validation},
                                {"training", EvaluatedSplit::training}},
                               "which samples");
    const auto choose = [&evaluate](const std::string& word) {
        if (is_dataset(word)) return static_cast<void>(evaluate.dataset = word);
        throw CLI::ValidationError("--dataset", fmt::format("\"{}\" is none of {}{}", word,
                                                            fmt::join(dataset_words(), "|"),
                                                            did_you_mean(word, dataset_words())));
    };
    verb.add_option_function<std::string>("--dataset", choose,
                                          "another data set, which lies in --data; its classes are "
                                          "matched by name")
        ->type_name(fmt::format("{}", fmt::join(dataset_words(), "|")));
    add_views(verb, evaluate.views,
              "the mean of the logits over views of each image: it, its mirror, both moved by a "
              "pixel; unless given, data.test_views of the run for its test split, else image");
    const auto by = [&evaluate](EvaluatedBy value) { evaluate.by = value; };
    const auto choose_by = [by](const std::string& word) {
        if (word == "all") return by(EvaluatedBy::all);
        if (word == "class") return by(EvaluatedBy::classes);
        if (word == "confusion") return by(EvaluatedBy::confusion);
        throw CLI::ValidationError("--by",
                                   fmt::format("\"{}\" is none of all|class|confusion", word));
    };
    verb.add_option_function<std::string>(
            "--by", choose_by,
            "a row for all samples, each class, or each class and what it was taken for; unless "
            "given, all of them for people, and for programs one row")
        ->type_name("all|class|confusion");
    add_format(verb, evaluate.format);
}

void declare_predict(CLI::App& verb, PredictOptions& predict) {
    add_saved_network(verb, predict.network);
    add_required(verb, "IMAGE", predict.files, "image files, and folders of them");
    add_whole<std::size_t>(verb, "--top", predict.top, {1, 1000},
                           "classes to name for each image; 3 unless given")
        .type_name("K");
    add_views(verb, predict.views,
              "the mean over views of each image; unless given, data.test_views of the run");
    add_format(verb, predict.format);
}

}  // namespace

void add_inference_verbs(VerbList& verbs) {
    verbs.add<EvaluateOptions>(
        {"evaluate", "loss, accuracy and confusions of saved weights on a data set",
         "  lockstep evaluate vgg-bn\n"
         "  lockstep evaluate vgg-bn --weights best --by class --format csv\n"
         "  lockstep evaluate vgg-bn --views mirror_translate     test-time augmentation\n"
         "  lockstep evaluate lockstep-store/runs/vgg-bn-1f3a5c7e/best.h5 --split validation\n"
         "  lockstep evaluate keras-model.h5 --file my.toml --run vgg-bn --data ~/cifar10\n"
         "  lockstep evaluate vgg-bn --dataset cifar10 --data ~/relabelled     another set, with "
         "the same class names\n"},
        declare_evaluate, [arguments = verbs.arguments()](const EvaluateOptions& options) {
            return evaluate(options, arguments);
        });
    verbs.add<PredictOptions>(
        {"predict", "the classes of image files: PNG, JPEG, PPM",
         "  lockstep predict vgg-bn cat.jpg\n"
         "  lockstep predict vgg-bn photos/ --top 1 --format csv > classes.csv\n"
         "  lockstep predict keras-model.h5 --file my.toml --run vgg-bn -- cat.png dog.png\n"
         "Images are resized to the network's input; files that cannot be read are named, "
         "and the exit code is 65.\n"},
        declare_predict, [arguments = verbs.arguments()](const PredictOptions& options) {
            return predict(options, arguments);
        });
}

}  // namespace lockstep::pipeline
