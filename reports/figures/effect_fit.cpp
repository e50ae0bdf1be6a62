#include "reports/figures/effect_fit.hpp"

#include <cmath>
#include <numeric>

namespace lockstep::reports {
namespace {

// Orthonormal vectors that span the columns taken so far.
class Basis {
public:
    // Whether the column was independent of those before.
    bool take(std::vector<double> column) {
        const double length = norm(column);
        for (int pass = 0; pass < 2; ++pass) {  // twice is enough, as Kahan says
            for (const std::vector<double>& known : vectors_) subtract(column, known);
        }
        const double rest = norm(column);
        if (rest <= 1e-8 * length) return false;
        for (double& each : column) each /= rest;
        vectors_.push_back(std::move(column));
        return true;
    }

    std::size_t rank() const { return vectors_.size(); }

    // Of the values, along the vectors from `first` on.
    double squares(std::span<const double> values, std::size_t first) const {
        double sum = 0.0;
        for (std::size_t i = first; i < vectors_.size(); ++i) {
            const double along = dot(vectors_[i], values);
            sum += along * along;
        }
        return sum;
    }

private:
    static double dot(std::span<const double> a, std::span<const double> b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    }
    static double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }
    static void subtract(std::vector<double>& column, const std::vector<double>& known) {
        const double along = dot(column, known);
        for (std::size_t i = 0; i < column.size(); ++i) column[i] -= along * known[i];
    }

    std::vector<std::vector<double>> vectors_;
};

// One column a level: the constant makes one of them superfluous.
void take_factor(Basis& basis, const Factor& factor) {
    for (std::size_t level = 0; level < factor.levels; ++level) {
        std::vector<double> column;
        for (const std::size_t each : factor.level_of) column.push_back(each == level ? 1.0 : 0.0);
        basis.take(std::move(column));
    }
}

// Products of the columns of all levels but the first: with main effects these span the pair.
void take_pair(Basis& basis, const Factor& first, const Factor& second) {
    for (std::size_t i = 1; i < first.levels; ++i) {
        for (std::size_t j = 1; j < second.levels; ++j) {
            std::vector<double> column;
            for (std::size_t run = 0; run < first.level_of.size(); ++run) {
                const bool is_here = first.level_of[run] == i && second.level_of[run] == j;
                column.push_back(is_here ? 1.0 : 0.0);
            }
            basis.take(std::move(column));
        }
    }
}

}  // namespace

Fit squares_of_factor(std::span<const Factor> factors, std::size_t which,
                      std::span<const double> centred) {
    Basis basis;
    basis.take(std::vector<double>(centred.size(), 1.0));
    for (std::size_t i = 0; i < factors.size(); ++i) {
        if (i != which) take_factor(basis, factors[i]);
    }
    const std::size_t others = basis.rank();
    take_factor(basis, factors[which]);
    return {basis.squares(centred, others), static_cast<int>(basis.rank() - others)};
}

Fit squares_of_all(std::span<const Factor> factors, std::span<const double> centred) {
    Basis basis;
    basis.take(std::vector<double>(centred.size(), 1.0));
    for (const Factor& factor : factors) take_factor(basis, factor);
    return {basis.squares(centred, 1), static_cast<int>(basis.rank()) - 1};
}

Fit squares_of_pair(std::span<const Factor> factors,
                    std::span<const std::pair<std::size_t, std::size_t>> pairs, std::size_t which,
                    std::span<const double> centred) {
    Basis basis;
    basis.take(std::vector<double>(centred.size(), 1.0));
    for (const Factor& factor : factors) take_factor(basis, factor);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (i != which) take_pair(basis, factors[pairs[i].first], factors[pairs[i].second]);
    }
    const std::size_t others = basis.rank();
    take_pair(basis, factors[pairs[which].first], factors[pairs[which].second]);
    return {basis.squares(centred, others), static_cast<int>(basis.rank() - others)};
}

}  // namespace lockstep::reports
