// Weight gradients summed over shards in registers against the shards' own gradients, added up.
#include <cmath>
#include <optional>

#include "tests/trainer/dense_case.hpp"
#include "trainer/determinism/shards.hpp"

namespace lockstep::trainer {
namespace {

using tests::DenseCase;
using tests::on_every_target;
using tests::same_bits;
using tests::size;
using Values = std::vector<float>;

struct Gradient {
    Values weights, bias;
};

Gradient gradient_of(const DenseCase& c, const SampleRange& shard) {
    Gradient g{Values(c.weights.size()), Values(c.bias.size())};
    const std::size_t first = size(shard.first);
    c.kernel.backward_weights({.src = c.src.data() + first * size(c.panels().features),
                               .diff = c.diff.data() + first * c.panels().diff_step()},
                              shard.count, g.weights.data(), g.bias.data());
    return g;
}

Values sum_of(const Values& left, const Values& right) {
    Values sum(left.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = left[i] + right[i];
    return sum;
}

// Node (level, i) of the tree, as its definition says.
std::optional<Gradient> node(const std::vector<Gradient>& shards, int level, std::size_t i) {
    if (i << level >= shards.size()) return std::nullopt;
    if (level == 0) return shards[i];
    const auto left = node(shards, level - 1, 2 * i), right = node(shards, level - 1, 2 * i + 1);
    if (!right) return left;
    return Gradient{sum_of(left->weights, right->weights), sum_of(left->bias, right->bias)};
}

void check_batch(const DenseCase& c, const std::vector<SampleRange>& shards) {
    std::vector<Gradient> own;
    for (const SampleRange& shard : shards) own.push_back(gradient_of(c, shard));
    int level = 0;
    while (std::size_t{1} << level < shards.size()) ++level;
    const Gradient expected = node(own, level, 0).value();

    const DensePanels& panels = c.panels();
    Values weights(c.weights.size(), std::nanf("")), bias(c.bias.size(), std::nanf(""));
    c.kernel.bias_gradient(c.diff.data(), shards, bias.data());
    CHECK(same_bits(bias, expected.bias));
    // All rows, cut at places that are no groups of any kernel.
    for (int first = 0; first < panels.rows();) {
        const int rows = std::min(panels.rows() - first, first == 0 ? 1 : 2 * first + 5);
        const std::size_t begin = panels.row_begin(first);
        c.kernel.weight_gradient_of_rows(first, rows, c.factors(), shards, &weights[begin]);
        first += rows;
        CHECK(std::ranges::all_of(std::span(weights).subspan(panels.row_begin(first)),
                                  [](float value) { return std::isnan(value); }));
    }
    CHECK(same_bits(weights, expected.weights));
}

TEST_CASE("dense kernels: the sum over shards is the tree of their gradients",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const int units : {1, 10, 17, 33, 100})
            for (const int shards : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 33}) {
                CAPTURE(units, shards);
                DenseCase c(29, units, 2 * shards + 1);  // one shard has a sample more
                c.compute();
                std::vector<SampleRange> cut;
                for (int i = 0; i < shards; ++i)
                    cut.push_back(near_equal_piece(c.samples, shards, i));
                check_batch(c, cut);
            }
    });
}

TEST_CASE("dense kernels: no shards give zeros", "[trainer][kernel]") {
    DenseCase c(5, 3, 1);
    Values weights(c.weights.size(), 1.0F), bias(3, 1.0F);
    c.kernel.weight_gradient_of_rows(0, c.panels().rows(), c.factors(), {}, weights.data());
    c.kernel.bias_gradient(c.diff.data(), {}, bias.data());
    CHECK(same_bits(weights, Values(weights.size())));
    CHECK(same_bits(bias, Values(3)));
}

TEST_CASE("dense kernels: rows stand one behind the other", "[trainer][kernel]") {
    for (const int units : {1, 16, 33, 500}) {
        const DenseKernel kernel(7, units);
        const DensePanels& panels = kernel.panels();
        CHECK(panels.row_begin(0) == 0);
        CHECK(panels.row_begin(panels.rows()) == panels.weight_floats());
        for (int row = 0; row < panels.rows(); ++row)
            CHECK(panels.row_begin(row + 1) - panels.row_begin(row) ==
                  panels.width(row / panels.features));
    }
}

}  // namespace
}  // namespace lockstep::trainer
