// What is wrong with a file is said with its place, all at once, and with what was meant.
#include <string>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

// The problem of one line in [train], which is line 4 of the file.
std::string problem_of_train(const std::string& line) {
    return problem_in(kHead + ("[train]\n" + line + "\n") + run_text());
}

std::string problem_of_name(const std::string& quoted_name) {
    return problem_in(std::string(kHead) + "[[run]]\nname = " + quoted_name + "\n" + kLayers);
}

std::string problem_of_layers(const std::string& layers) {
    return problem_in(std::string(kHead) + "[[run]]\nname = \"a\"\nlayers = [" + layers + "]\n");
}

}  // namespace

TEST_CASE("a syntax error has its line and column", "[spec][problems]") {
    const std::string problem = problem_in("[experiment]\nname = \"a\nx = 1\n");
    CHECK(problem.starts_with("exp.toml:2:"));
    CHECK(problem.find('\n') == std::string::npos);
}

TEST_CASE("an unknown key is refused, with what may have been meant", "[spec][problems]") {
    CHECK(problem_of_train("epoch = 10") ==
          "exp.toml:4:1: unknown key \"epoch\"; did you mean \"epochs\"?");
    CHECK(problem_in(std::string(kHead) + "[dta]\n" + run_text()) ==
          "exp.toml:3:2: unknown key \"dta\"; did you mean \"data\"?");
    CHECK(contains(problem_of_train("zzz = 1"), "known in [train]: batch_size"));
    CHECK(
        contains(problem_in(kHead + run_text("a", "sourc = \"x\"\n")), "did you mean \"source\""));
    CHECK(contains(problem_of_train("optimizer = { name = \"sgd\", beta_1 = 0.9 }"),
                   "unknown key \"beta_1\""));
}

TEST_CASE("weights of classes: by name or number, of a class once", "[spec][problems]") {
    CHECK(contains(problem_of_train("class_weights = { ct = 2 }"),
                   "exp.toml:4:19: unknown key \"ct\"; did you mean \"cat\"?"));
    CHECK(contains(problem_of_train("class_weights = { 10 = 2 }"), "unknown key \"10\""));
    CHECK(contains(problem_of_train("class_weights = { cat = -1 }"),
                   "cat must be a number of at least 0 and at most 1000000, not -1"));
    CHECK(contains(problem_of_train("class_weights = { cat = 2, 3 = 2 }"),
                   "class \"cat\" has a weight by its name, too"));
    CHECK(contains(problem_of_train("class_weights = \"balance\""),
                   "class_weights must be \"none\", \"balanced\" or a table of weights by class"));
    std::string none;
    for (int label = 0; label < 10; ++label)
        none += (none.empty() ? "" : ", ") + std::to_string(label) + " = 0";
    CHECK(contains(problem_of_train("class_weights = { " + none + " }"),
                   "class weights that are all 0 leave nothing to learn"));
    CHECK(problem_of_train("class_weights = { cat = 0, 9 = 1e6 }").empty());
}

TEST_CASE("all problems of a file come at once, each only once", "[spec][problems]") {
    const std::string text = std::string(kHead) +
                             "[train]\nepoch = 10\nbatch_size = 0\n[data]\nscale = \"Unit\"\n" +
                             run_text("a", "title = 3\n") + run_text("b");
    const auto problems = problems_in(text);
    REQUIRE(problems.size() == 4);
    CHECK(contains(problems.front(), "epoch"));  // in the order of the file
    CHECK(contains(problems.back(), "title"));
    const std::string all = problem_in(text);
    CHECK(contains(all, "exp.toml:4:1: unknown key \"epoch\""));
    CHECK(
        contains(all, "exp.toml:5:1: batch_size must be a whole number from 1 to 1000000, not 0"));
    CHECK(contains(all,
                   "exp.toml:7:1: scale must be one of \"unit\", \"raw\", \"standard\", not "
                   "\"Unit\"; did you mean \"unit\"?"));
    CHECK(contains(all, "title must be a text in quotes, not 3"));
}

TEST_CASE("a value of another type is refused", "[spec][problems]") {
    const std::string expected =
        "exp.toml:4:1: epochs must be a whole number from 0 to 2147483647, not ";
    CHECK(problem_of_train("epochs = \"10\"") == expected + "the text \"10\"");
    CHECK(problem_of_train("epochs = 10.5") == expected + "10.5");
    CHECK(problem_of_train("epochs = true") == expected + "true");
    CHECK(problem_of_train("epochs = [10]") == expected + "a list");
    CHECK(problem_of_train("shuffle = 1") == "exp.toml:4:1: shuffle must be true or false, not 1");
    CHECK(problem_in("train = 3\n" + std::string(kHead) + run_text()) ==
          "exp.toml:1:1: train must be a table: [train]");
}

TEST_CASE("a name that stands alone is called by its key", "[spec][problems]") {
    CHECK(problem_of_train("optimizer = \"Adam\"") ==
          "exp.toml:4:1: optimizer must be one of \"sgd\", \"adam\", \"adamw\", \"rmsprop\", "
          "\"lion\", \"adagrad\", \"nadam\", \"muon\", not \"Adam\"; did you mean \"adam\"?");
    CHECK(contains(problem_of_train("schedule = \"Cosine\""), "schedule must be one of"));
    CHECK(contains(problem_of_train("optimizer = { name = \"Adam\" }"), "name must be one of"));
    CHECK(contains(problem_of_train("optimizer = 3"),
                   "optimizer must be a name or a table, \"adam\" or { name = \"adam\", "
                   "learning_rate = 0.001 }, not 3"));
}

TEST_CASE("what Keras' compile() is told and no file needs is explained", "[spec][problems]") {
    CHECK(contains(problem_of_train("loss = \"sparse_categorical_crossentropy\""),
                   "unknown key \"loss\"; there is one loss"));
    CHECK(contains(problem_of_train("metrics = [\"accuracy\"]"), "always measured"));
    CHECK(contains(problem_of_train("callbacks = []"), "early_stopping, schedule, [checkpoint]"));
}

TEST_CASE("a value outside its range is refused", "[spec][problems]") {
    CHECK(contains(problem_of_train("epochs = -1"), "from 0 to"));
    CHECK(contains(problem_of_train("epochs = 2147483648"), "from 0 to 2147483647"));
    CHECK(contains(problem_of_train("seed = -1"), "at least 0"));
    for (const char* rate : {"0", "-1", "1e30", "100.1"}) {
        CAPTURE(rate);
        CHECK(
            contains(problem_of_train("optimizer = { learning_rate = " + std::string(rate) + " }"),
                     "learning_rate must be a number above 0 and at most 100"));
    }
    CHECK(contains(problem_of_train("optimizer = { name = \"sgd\", momentum = 1.0 }"),
                   "at least 0 and below 1"));
    CHECK(contains(problem_of_layers("{ type = \"dropout\", rate = 1.0 }"),
                   "at least 0 and below 1"));
    CHECK(contains(
        problem_in(kHead + run_text("a", "parallel = { shards = 2, ranks_per_run = 3 }\n")),
        "ranks_per_run = 3 is more than shards = 2"));
}

TEST_CASE("averages of the weights: one, with sensible numbers", "[spec][problems]") {
    const auto problem = [](const std::string& keys) {
        return problem_of_train("optimizer = { " + keys + " }");
    };
    CHECK(problem("use_ema = true, lookahead = { sync_period = 5 }") ==
          "exp.toml:4:31: lookahead and use_ema = true each say which weights are validated and "
          "kept: leave one of them out");
    CHECK(problem("use_ema = false, ema_momentum = 0.5, lookahead = {}").empty());
    CHECK(contains(problem("use_ema = 1"), "use_ema must be true or false, not 1"));
    CHECK(contains(problem("ema_momentum = 1.1"), "at least 0 and at most 1"));
    CHECK(contains(problem("ema_overwrite_frequency = 0"), "must be a whole number"));
    CHECK(contains(problem("lookahead = true"), "lookahead must be a table or \"none\", not true"));
    CHECK(contains(problem("lookahead = { steps = 5 }"), "unknown key \"steps\""));
    CHECK(contains(problem("lookahead = { slow_step_size = 0 }"), "above 0 and at most 1"));
    CHECK(contains(problem("lookahead = { power = -1 }"), "power must be"));
    CHECK(contains(problem("gradient_accumulation_steps = 0"), "must be a whole number from 1"));
}

TEST_CASE("muon: its own keys, in their bounds", "[spec][problems]") {
    const auto problem = [](const std::string& keys) {
        return problem_of_train("optimizer = { name = \"muon\", " + keys + " }");
    };
    CHECK(problem("ns_steps = 0, rms_rate = \"none\", exclude_layers = []").empty());
    CHECK(problem("exclude_layers = [\"dense_1\", \"out/kernel\"]").empty());
    CHECK(contains(problem("beta_1 = 0.9"), "unknown key \"beta_1\""));
    CHECK(contains(problem("exclude_embeddings = true"), "unknown key \"exclude_embeddings\""));
    CHECK(contains(problem("momentum = 1"), "momentum must be a number of at least 0 and below 1"));
    CHECK(contains(problem("adam_beta_2 = 1"), "at least 0 and below 1"));
    CHECK(contains(problem("epsilon = 0"), "above 0 and at most 1"));
    CHECK(contains(problem("ns_steps = 101"), "a whole number from 0 to 100"));
    CHECK(contains(problem("ns_steps = -1"), "a whole number from 0 to 100"));
    CHECK(contains(problem("muon_b = -101"), "at least -100 and at most 100"));
    CHECK(contains(problem("adam_lr_ratio = 0"), "above 0 and at most 1000"));
    CHECK(contains(problem("rms_rate = 0"), "above 0 and at most 1000"));
    CHECK(contains(problem("adam_weight_decay = -1"), "at least 0 and at most 100"));
    CHECK(contains(problem("exclude_convolutions = 1"), "must be true or false"));
    for (const char* parts : {"1", "[1]", "\"\"", "\"dense_[12]\"", "[\"a\", \"b.c\"]"})
        CHECK(contains(problem(std::string("exclude_layers = ") + parts),
                       "exclude_layers must be parts of names of layers"));
}

TEST_CASE("what TOML allows and no experiment needs is refused", "[spec][problems]") {
    CHECK(problem_of_train("optimizer = { learning_rate = nan }") ==
          "exp.toml:4:31: nan and inf are no settings");
    CHECK(contains(problem_of_train("optimizer = { learning_rate = -inf }"), "nan and inf"));
    CHECK(contains(problem_of_train("seeds = [1, \"2\"]"), "must not mix types"));
    CHECK(contains(problem_of_train("epochs = 2020-01-01"), "dates"));
    CHECK(problem_of_layers("{ type = \"conv2d\", filters = nan, kernel_size = 3 }") ==
          "exp.toml:5:40: nan and inf are no settings");  // and no shape problem from it
    CHECK(problem_of_layers("1, \"2\"") ==
          "exp.toml:5:10: a list must not mix types; "
          "settings of two types are for two [[run]]");
    CHECK(problem_in(kHead + run_text("a", "data = { classes = [\"cat\", \"d\\u0000g\"] }\n")) ==
          "exp.toml:6:28: a text must not contain a NUL character");
    CHECK(contains(problem_in("[experiment]\nname = \"a\"\ntitle = \"x\\u0000y\"\n" + run_text()),
                   "NUL"));
}

TEST_CASE("a name is safe as a file name, or refused", "[spec][problems]") {
    for (const char* name : {"\"../../x\"", "\"/etc/x\"", "\"a/b\"", "\".\"", "\"..\"", "\"\"",
                             "\"-rf\"", "\".hidden\"", "\"a b\"", "\"a\\nb\"", "\"\\u001b[1m\"",
                             "\"\\U0001F600\"", "\"\\u202ex\"", "'a\\b'"}) {
        CAPTURE(name);
        const std::string problem = problem_of_name(name);
        CHECK(contains(problem, "exp.toml:4:1: name must be 1 to 64 letters"));
        CHECK(problem.find('\x1b') == std::string::npos);
    }
    CHECK(contains(problem_of_name('"' + std::string(65, 'x') + '"'), "1 to 64"));
    CHECK(contains(problem_of_name("\"a\\u0000b\""), "NUL"));
    CHECK(problem_of_name('"' + std::string(64, 'x') + '"').empty());
    CHECK(problem_of_name("\"con\"").empty());
    CHECK(contains(problem_in("[experiment]\nname = \"a/b\"\n" + run_text()), "name must be"));
    CHECK(contains(problem_in(run_text()), "the experiment needs a name"));
}

TEST_CASE("two runs of one name, or equal but for case, are refused", "[spec][problems]") {
    CHECK(contains(problem_in(kHead + run_text("a") + run_text("a")),
                   "there is another run named \"a\""));
    CHECK(contains(problem_in(kHead + run_text("net") + run_text("Net")),
                   "\"net\" and \"Net\" differ in case only"));
    CHECK(contains(
        problem_in(kHead + run_text("a", "train = { seeds = [1, 2] }\n") + run_text("a-seed2")),
        "there is another run named \"a-seed2\""));
}

TEST_CASE("a file without runs is refused", "[spec][problems]") {
    CHECK(contains(problem_in(""), "exp.toml:1:1: nothing to run"));
    CHECK(contains(problem_in("# only a comment\n"), "nothing to run"));
    CHECK(problem_in(kHead) == "exp.toml:1:1: nothing to run: the file has no [[run]]");
    CHECK(contains(problem_in(std::string(kHead) + "[run]\nname = \"a\"\n"), "written [[run]]"));
    CHECK(
        contains(problem_in("schema = 2\n" + std::string(kHead) + run_text()), "schema must be 1"));
}

TEST_CASE("layers that do not fit are shown with the shapes before them", "[spec][problems]") {
    const std::string problem = problem_of_layers(
        "\n{ type = \"conv2d\", filters = 8, kernel_size = 31 },\n{ type = \"max_pooling2d\", "
        "pool_size = 3 }\n");
    CHECK(problem.starts_with(
        "exp.toml:7:1: layer \"max_pooling2d\" cannot take its input (None, 2, 2, 8)"));
    CHECK(contains(problem, "conv2d (Conv2D)"));
    CHECK(contains(problem, "(None, 2, 2, 8)"));
    CHECK(problem.back() != '\n');
    CHECK(contains(problem_in(std::string(kHead) + "[train]\nepoch = 3\n[[run]]\nname = \"a\"\n"
                                                   "layers = [{ type = \"dense\", units = 10 }]\n"),
                   "needs a flatten before it"));  // found beside the misspelt key
    CHECK(contains(problem_of_layers("{ type = \"dense\", units = 10 }"),
                   "needs a flatten before it"));
    CHECK(contains(problem_of_layers("{ type = \"flatten\" }, { type = \"dense\", units = 9 }"),
                   "ends in 9 values, but there are 10 classes"));
    CHECK(contains(problem_of_layers(""), "1 to 1000 layers, not 0"));
    CHECK(
        contains(problem_in(std::string(kHead) + "[[run]]\nname = \"a\"\n"), "a run needs layers"));
    CHECK(problem_of_layers(
              "{ type = \"flatten\" }, { type = \"dense\", units = 10, activation = \"softmax\" }")
              .empty());
}

TEST_CASE("layers that are wrong in themselves are refused", "[spec][problems]") {
    CHECK(contains(problem_of_layers("{ type = \"conv3d\" }"), "did you mean \"conv2d\"?"));
    CHECK(contains(problem_of_layers("{ units = 3 }"), "a layer needs a type"));
    CHECK(contains(problem_of_layers("{ type = \"dense\" }"), "a dense layer needs units"));
    CHECK(contains(problem_of_layers("{ type = \"conv2d\", filters = 1, kernel_size = [3] }"),
                   "or [height, width]"));
    CHECK(
        contains(problem_of_layers("{ type = \"flatten\", units = 3 }"), "unknown key \"units\""));
    CHECK(contains(
        problem_of_layers(
            "{ type = \"flatten\", name = \"x\" }, { type = \"dense\", units = 10, name = \"x\" }"),
        "there is another layer named \"x\""));
    CHECK(contains(problem_of_layers("{ type = \"flatten\", name = \"a/b\" }"), "name must be"));
    CHECK(contains(problem_of_layers("{ type = \"flatten\", name = \"input_1\" }"), "Keras' own"));
}

TEST_CASE("classes and validation are checked against the data set", "[spec][problems]") {
    const auto problem_of_data = [](const std::string& data) {
        return problem_in(kHead + run_text("a", "data = { " + data + " }\n"));
    };
    CHECK(contains(problem_of_data("classes = [\"cat\", \"dgo\"]"),
                   "no class \"dgo\"; did you mean \"dog\"?"));
    CHECK(contains(problem_of_data("classes = [\"cat\", \"cat\"]"), "\"cat\" is listed twice"));
    CHECK(contains(problem_of_data("classes = [\"cat\"]"), "two or more"));
    CHECK(contains(problem_of_data("validation = { first = 0 }"), "first must be"));
    CHECK(contains(problem_of_data("validation = { first = 50000 }"), "from 1 to 49999"));
    CHECK(contains(problem_of_data("validation = { fraction = 1.0 }"), "above 0 and below 1"));
    CHECK(contains(problem_of_data("validation = { first = 1, fraction = 0.5 }"),
                   "validation must be"));
    CHECK(contains(problem_of_data("validation = \"train\""), "validation must be"));
    CHECK(contains(problem_of_data("path = \"${NOT_SET}/x\""), "\"NOT_SET\" is not set"));
    CHECK(contains(problem_of_data("path = \"${OPEN\""), "without \"}\""));
}

TEST_CASE("a monitor of validation needs validation", "[spec][problems]") {
    const std::string stopping = "train = { early_stopping = { monitor = \"val_loss\" } }\n";
    CHECK(contains(problem_in(kHead + run_text("a", stopping)),
                   "monitor = \"val_loss\", which needs validation"));
    CHECK(contains(problem_in(kHead + run_text("a", "checkpoint = {}\n")),
                   "monitor is \"val_loss\" by default, which needs validation"));
    CHECK(
        problem_in(kHead + run_text("a", stopping + "data = { validation = \"test\" }\n")).empty());
    CHECK(contains(problem_in(kHead + run_text("a", "checkpoint = { monitor = \"acc\" }\n")),
                   "monitor must be one of"));
    CHECK(contains(problem_of_train("early_stopping = true"), "a table or \"none\""));
}

TEST_CASE("a monitor of top-5 accuracy needs more than five classes", "[spec][problems]") {
    const std::string checkpoint = "checkpoint = { monitor = \"val_top_5_accuracy\" }\n";
    const auto problem = [&](const std::string& data) {
        return problem_in(kHead + run_text("a", checkpoint + "data = { " + data + " }\n"));
    };
    CHECK(problem("validation = \"test\"").empty());
    CHECK(contains(problem("validation = \"none\""), "which needs validation"));
    CHECK(contains(problem("validation = \"test\", classes = [\"cat\", \"dog\"]"),
                   "val_top_5_accuracy needs more than five classes"));
}
