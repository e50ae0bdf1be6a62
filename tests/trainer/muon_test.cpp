// Muon over the tensors of a network: which take it, who has them, and whole steps against plain
// loops in double.
#include "trainer/optimizers/muon.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/plain_muon.hpp"
#include "tests/trainer/scalar_weight.hpp"
#include "trainer/network/network.hpp"
#include "trainer/optimizers/optimizer.hpp"
#include "trainer/optimizers/weight_ranges.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr Shape kImage{8, 8, 3, false};

// Channels that fill no block, groups that are merged, matrices that are high, wide, of one row and
// of one column.
std::vector<LayerConfig> layers_of_matrices() {
    const std::array<int, 2> three{3, 3};
    return {{"conv2d", Conv2dConfig{.filters = 10, .kernel_size = three}},
            {"grouped", Conv2dConfig{.filters = 20, .kernel_size = three, .groups = 2}},
            {"wide", Conv2dConfig{.filters = 33, .kernel_size = {1, 1}}},
            {"depthwise", DepthwiseConv2dConfig{.kernel_size = three}},
            {"separable", SeparableConv2dConfig{.filters = 5, .kernel_size = {2, 2}}},
            {"batch_normalization", BatchNormalizationConfig{}},
            {"flatten", FlattenConfig{}},
            {"high", DenseConfig{.units = 1}},
            {"row", DenseConfig{.units = 37}},
            {"head", DenseConfig{.units = 4}}};
}

OptimizerConfig muon_with(const MuonConfig& muon) {
    return {.learning_rate = 0.1, .rule = muon, .weight_decay = 0.5};
}

// layer/tensor of all that take it.
std::set<std::string> taken(const MuonConfig& muon, const std::vector<LayerConfig>& layers) {
    Network network(layers, kImage, 4);
    std::set<std::string> names;
    const auto all = network.parameters().trainable_tensors();
    for (const MuonTensor& one : muon_tensors(muon_with(muon), layers, network.parameters(), 1))
        for (const Parameters::TrainableTensor& tensor : all)
            if (tensor.number == one.number) names.insert(tensor.layer + '/' + tensor.name);
    return names;
}

Matrix matrix_of(const NamedTensor& tensor) {
    const auto columns = static_cast<std::size_t>(tensor.shape.back());
    Matrix matrix(tensor.values.size() / columns, columns);
    std::ranges::copy(tensor.values, matrix.values.begin());
    return matrix;
}

NamedTensors random_tensors(const Parameters& parameters, std::uint64_t seed) {
    const std::vector<float> zeros(parameters.trainable().size(), 0.0F);
    NamedTensors tensors = parameters.unpack_trainable(zeros);
    RandomValues random(seed);
    for (NamedTensor& tensor : tensors) tensor.values = random.floats(tensor.values.size());
    return tensors;
}

std::vector<float> arena_of(const NamedTensors& tensors, const Parameters& parameters) {
    std::vector<float> arena(parameters.trainable().size(), 0.0F);
    parameters.pack_trainable(tensors, arena);
    return arena;
}

// As all ranks together do it.
void orthogonalize(const OptimizerConfig& config, const std::vector<LayerConfig>& layers,
                   const Parameters& parameters, int ranks, std::span<float> directions) {
    const auto tensors = muon_tensors(config, layers, parameters, 1);
    for (int rank = 0; rank < ranks; ++rank)
        Muon(std::get<MuonConfig>(config.rule), tensors, parameters, rank, ranks)
            .orthogonalize(0, directions);
}

}  // namespace

TEST_CASE(
    "Muon is for matrices, as in Keras; and for kernels of convolutions that are not excluded",
    "[trainer][muon]") {
    const auto layers = layers_of_matrices();
    using Names = std::set<std::string>;
    CHECK(taken({}, layers) == Names{"high/kernel", "row/kernel", "head/kernel"});
    CHECK(taken({.exclude_layers = {"h"}}, layers) == Names{"row/kernel"});
    CHECK(taken({.exclude_layers = {"head/", "row"}}, layers) == Names{"high/kernel"});
    CHECK(taken({.exclude_layers = {"kernel"}}, layers).empty());
    CHECK(taken({.exclude_layers = {"head"}, .exclude_convolutions = false}, layers) ==
          Names{"conv2d/kernel", "grouped/kernel", "wide/kernel", "separable/pointwise_kernel",
                "high/kernel", "row/kernel"});
}

TEST_CASE("every tensor is orthogonalized in its place, by whichever rank", "[trainer][muon]") {
    const auto layers = layers_of_matrices();
    const MuonConfig muon{.exclude_layers = {"head"}, .exclude_convolutions = false};
    const OptimizerConfig config = muon_with(muon);
    Network network(layers, kImage, 4);
    const Parameters& parameters = network.parameters();
    const std::set<std::string> names = taken(muon, layers);
    NamedTensors expected = random_tensors(parameters, 3);
    const std::vector<float> given = arena_of(expected, parameters);
    std::vector<float> one_rank = given;
    orthogonalize(config, layers, parameters, 1, one_rank);
    for (const int ranks : {2, 3, 100}) {
        std::vector<float> several = given;
        orthogonalize(config, layers, parameters, ranks, several);
        CHECK(several == one_rank);
    }
    const NamedTensors found = parameters.unpack_trainable(one_rank);
    for (std::size_t t = 0; t < found.size(); ++t) {
        const std::string name = found[t].layer + '/' + found[t].name;
        CAPTURE(name);
        if (!names.contains(name)) {
            CHECK(found[t].values == expected[t].values);
            continue;
        }
        const Matrix plain = plain_newton_schulz(muon, matrix_of(expected[t]));
        const double scale =
            0.2 * std::sqrt(static_cast<double>(std::max(plain.rows, plain.columns)));
        double worst = 0.0;
        for (std::size_t i = 0; i < plain.values.size(); ++i)
            worst = std::max(
                worst, std::abs(static_cast<double>(found[t].values[i]) - scale * plain.values[i]));
        CHECK(worst < 2e-5);
    }
    CHECK(arena_of(found, parameters) == one_rank);  // padding is zero
}

TEST_CASE("tensors are divided by their cost, in their order", "[trainer][muon]") {
    const auto tensor = [](std::size_t first, std::size_t rows, std::size_t columns) {
        return MuonTensor{0, first, rows * columns, rows, columns, kAllSteps};
    };
    CHECK(tensor(0, 3, 2).cost() == 2 * 2 * 2 * 3 + 2 * 2 * 2);
    CHECK(tensor(0, 2, 3).cost() == tensor(0, 3, 2).cost());
    const std::vector<MuonTensor> equal{tensor(0, 4, 4), tensor(32, 4, 4), tensor(64, 4, 4),
                                        tensor(96, 4, 4)};
    CHECK(muon_owners(equal, 1) == std::vector<int>{0, 0, 0, 0});
    CHECK(muon_owners(equal, 2) == std::vector<int>{0, 0, 1, 1});
    CHECK(muon_owners(equal, 4) == std::vector<int>{0, 1, 2, 3});
    CHECK(muon_owners(equal, 8) == std::vector<int>{1, 3, 5, 7});
    CHECK(muon_owners({}, 3).empty());
    const auto parts = muon_parts(equal, muon_owners(equal, 2), 2);
    CHECK((parts[0].first == 0 && parts[0].count == 48));
    CHECK((parts[1].first == 64 && parts[1].count == 48));
    CHECK(muon_parts(equal, muon_owners(equal, 8), 8)[2].count == 0);
    const std::vector<MuonTensor> uneven{tensor(0, 1, 1), tensor(16, 100, 100),
                                         tensor(10032, 2, 2)};
    CHECK(muon_owners(uneven, 2) == std::vector<int>{0, 0, 1});
}

namespace {

// A network's weights in double: matrices by Muon, all else by AdamW.
struct PlainNetwork {
    std::map<std::string, PlainMuon> matrices;
    std::map<std::string, std::vector<ScalarWeight>> others;

    PlainNetwork(const NamedTensors& weights, const std::set<std::string>& taken) {
        for (const NamedTensor& tensor : weights) {
            const std::string name = tensor.layer + '/' + tensor.name;
            if (taken.contains(name)) {
                matrices.emplace(name, PlainMuon(matrix_of(tensor)));
                continue;
            }
            for (const float value : tensor.values)
                others[name].emplace_back().w = static_cast<double>(value);
        }
    }
    //   decay   of matrices; of others the rule has its own
    void update(const MuonConfig& muon, const NamedTensors& gradients, double rate, int t,
                double decay) {
        for (const NamedTensor& tensor : gradients) {
            const std::string name = tensor.layer + '/' + tensor.name;
            if (const auto matrix = matrices.find(name); matrix != matrices.end()) {
                matrix->second.update(muon, matrix_of(tensor), rate, decay);
                continue;
            }
            for (std::size_t i = 0; i < tensor.values.size(); ++i) {
                ScalarWeight& weight = others[name][i];
                weight.w -= weight.w * rate * muon.adam_weight_decay;
                weight.update(muon, static_cast<double>(tensor.values[i]), rate, t);
            }
        }
    }
    double weight(const std::string& name, std::size_t i) const {
        const auto matrix = matrices.find(name);
        return matrix != matrices.end() ? matrix->second.w.values[i] : others.at(name)[i].w;
    }
};

}  // namespace

TEST_CASE("steps of Muon, piece by piece, are those of whole matrices in double",
          "[trainer][muon]") {
    const auto layers = layers_of_matrices();
    for (MuonConfig muon : {MuonConfig{}, MuonConfig{.nesterov = false, .rms_rate = {}},
                            MuonConfig{.momentum = 0.0, .ns_steps = 1}}) {
        muon.exclude_layers = {"head"};
        muon.exclude_convolutions = false;
        muon.adam_weight_decay = 0.25;
        muon.adam_lr_ratio = 0.5;
        CAPTURE(muon.nesterov, muon.ns_steps);
        OptimizerConfig config = muon_with(muon);
        Network network(layers, kImage, 4);
        const Parameters& parameters = network.parameters();
        const std::size_t count = parameters.trainable().size();
        Optimizer optimizer(config, count, weight_ranges(config, layers, parameters, 1));
        std::vector<float> directions(count, 0.0F);
        optimizer.use_directions(directions);
        const NamedTensors initial = random_tensors(parameters, 1);
        std::vector<float> weights = arena_of(initial, parameters);
        PlainNetwork plain(initial, taken(muon, layers));
        for (int step = 0; step < 4; ++step) {
            NamedTensors gradients =
                random_tensors(parameters, 10 + static_cast<std::uint64_t>(step));
            const std::vector<float> gradient = arena_of(gradients, parameters);
            const double rate = rate_of_step(step);
            optimizer.begin_step(rate, step);
            constexpr std::size_t kPiece = 999;
            const auto for_each_piece = [&](auto visit) {
                for (std::size_t first = 0; first < count; first += kPiece) {
                    const std::size_t size = std::min(kPiece, count - first);
                    visit(first, std::span(gradient).subspan(first, size),
                          std::span(weights).subspan(first, size));
                }
            };
            for_each_piece([&](std::size_t first, auto g, auto w) {
                optimizer.take_directions(first, optimizer.whole_gradient(first, g), w);
            });
            orthogonalize(config, layers, parameters, 2, directions);
            for_each_piece(
                [&](std::size_t first, auto g, auto w) { optimizer.update(first, g, w); });
            plain.update(muon, gradients, rate, step + 1, config.weight_decay);
        }
        const NamedTensors found = parameters.unpack_trainable(weights);
        for (const NamedTensor& tensor : found) {
            CAPTURE(tensor.layer, tensor.name);
            double worst = 0.0;
            for (std::size_t i = 0; i < tensor.values.size(); ++i)
                worst =
                    std::max(worst, std::abs(static_cast<double>(tensor.values[i]) -
                                             plain.weight(tensor.layer + '/' + tensor.name, i)));
            CHECK(worst < 2e-5);
        }
        CHECK(arena_of(found, parameters) == weights);  // padding is zero
    }
}

TEST_CASE("a gradient that is asked for twice is accumulated once", "[trainer][muon]") {
    OptimizerConfig config{.learning_rate = 1.0, .rule = SgdConfig{}};
    config.gradient_accumulation_steps = 2;
    Optimizer optimizer(config, 32);
    std::vector<float> weights(32, 0.0F);
    const std::vector<float> gradient(32, 1.0F);
    for (int step = 0; step < 2; ++step) {
        optimizer.begin_step(1.0, step);
        if (optimizer.is_update())
            for (int visit = 0; visit < 2; ++visit)
                for (const std::size_t first : {0, 16}) {
                    const auto mean =
                        optimizer.whole_gradient(first, std::span(gradient).subspan(first, 16));
                    CHECK(std::ranges::all_of(mean, [](float g) { return g == 1.0F; }));
                }
        optimizer.update(0, gradient, weights);
    }
    CHECK(weights == std::vector<float>(32, -1.0F));
}
