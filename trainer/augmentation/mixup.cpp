#include "trainer/augmentation/mixup.hpp"

#include <cmath>
#include <numbers>

namespace lockstep::trainer {

namespace {

// In (0, 1].
double positive_uniform(std::uint32_t high, std::uint32_t low) {
    return 1.0 - uniform_double(high, low);
}

double normal(const RandomWords& words) {  // Box and Muller's
    const double radius = std::sqrt(-2.0 * std::log(positive_uniform(words[0], words[1])));
    return radius * std::cos(2.0 * std::numbers::pi * uniform_double(words[2], words[3]));
}

// The logarithm of a draw from Gamma(alpha): one from Gamma(alpha + 1) times u^(1 / alpha).
//   which   0 or 1: of the two that a draw from Beta takes
double log_gamma_draw(double alpha, RandomKey key, RandomWords counter, std::uint32_t which) {
    const double d = alpha + 1.0 - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (std::uint32_t attempt = 0;; ++attempt) {
        const auto words = [&](std::uint32_t block) {
            counter[3] = 1 + 2 * (2 * attempt + which) + block;
            return random_words(key, counter);
        };
        const double x = normal(words(0));
        const double root = 1.0 + c * x;
        if (root <= 0.0) continue;
        const double v = root * root * root;
        const RandomWords uniforms = words(1);
        const double accepted = std::log(positive_uniform(uniforms[0], uniforms[1]));
        if (accepted > 0.5 * x * x + d - d * v + d * std::log(v)) continue;
        return std::log(d * v) + std::log(positive_uniform(uniforms[2], uniforms[3])) / alpha;
    }
}

}  // namespace

double draw_beta(double alpha, RandomKey key, RandomWords counter) {
    const double first = log_gamma_draw(alpha, key, counter, 0);
    const double second = log_gamma_draw(alpha, key, counter, 1);
    return 1.0 / (1.0 + std::exp(second - first));
}

Mix draw_mix(double alpha, RandomKey key, RandomWords counter, std::uint32_t samples) {
    const RandomWords words = random_words(key, counter);
    return {uniform_below(samples, words[0], words[1]),
            static_cast<float>(draw_beta(alpha, key, counter))};
}

}  // namespace lockstep::trainer
