// Weights of classes: scikit-learn's rule, and what they do to a training.
#include "trainer/class_weights.hpp"

#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

TEST_CASE("balanced weights are scikit-learn's", "[trainer][class_weights]") {
    // The example of its compute_class_weight(): [1.5, 0.75].
    const std::vector<Label> labels{1, 1, 1, 1, 0, 0};
    CHECK(class_weights(BalancedClasses{}, labels, 2) == std::vector<double>{1.5, 0.75});
    // It knows of no class without samples.
    CHECK(class_weights(BalancedClasses{}, labels, 4) == std::vector<double>{1.5, 0.75, 0.0, 0.0});
    const std::vector<Label> equal{0, 1, 2, 2, 1, 0};
    CHECK(class_weights(BalancedClasses{}, equal, 3) == std::vector<double>{1.0, 1.0, 1.0});
}

TEST_CASE("weights that are given are taken, and none where all count the same",
          "[trainer][class_weights]") {
    const std::vector<Label> labels{0, 1};
    CHECK(class_weights(EqualClasses{}, labels, 2).empty());
    CHECK(class_weights(ClassWeights{{0.25, 8.0}}, labels, 2) == std::vector<double>{0.25, 8.0});
}

// Of powers of two nothing is rounded: the bits are those of the other learning rate.
TEST_CASE("weights of 4 are a learning rate of four times to SGD, and a loss of four times",
          "[trainer][class_weights]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run(plain_layers());
    config.train.optimizer = {.learning_rate = 0.04, .rule = SgdConfig{}};
    const Trained faster = train_tiny(config, self);
    config.train.optimizer.learning_rate = 0.01;
    config.train.class_weights = ClassWeights{{4.0, 4.0, 4.0, 4.0}};
    const Trained weighted = train_tiny(config, self);
    CHECK(digest_of(weighted.outcome.weights) == digest_of(faster.outcome.weights));
    REQUIRE(weighted.seen.steps.size() == faster.seen.steps.size());
    for (std::size_t i = 0; i < faster.seen.steps.size(); ++i) {
        const Metrics& of_step = weighted.seen.steps[i].step_metrics;
        CHECK(of_step.loss == 4.0 * faster.seen.steps[i].step_metrics.loss);
        CHECK(of_step.accuracy == faster.seen.steps[i].step_metrics.accuracy);
    }
    // Validation and test know nothing of them.
    REQUIRE(faster.seen.epochs.back().validation);
    CHECK(bits_of(*weighted.seen.epochs.back().validation) ==
          bits_of(*faster.seen.epochs.back().validation));
    CHECK(bits_of(weighted.outcome.test) == bits_of(faster.outcome.test));
}

TEST_CASE("what has no weight teaches nothing, and counts among the samples all the same",
          "[trainer][class_weights]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run(plain_layers());
    config.train.batch_size = 1;
    config.train.shuffle = false;
    config.train.optimizer = {.learning_rate = 0.01, .rule = SgdConfig{}};
    config.train.class_weights = ClassWeights{{0.0, 1.0, 0.0, 2.0}};
    const Trained trained = train_tiny(config, self);
    double sum = 0.0;
    for (std::size_t i = 0; i < 45; ++i) {  // labels are 0, 1, 2, 3, 0, ...
        const double loss = trained.seen.steps[i].step_metrics.loss;
        CHECK((loss == 0.0) == (i % 2 == 0));
        sum += loss;
    }
    const Metrics& epoch = trained.seen.epochs.front().training;
    CHECK(epoch.loss == Approx(sum / 45.0).epsilon(1e-12));
    CHECK(epoch.count == 45);
}
