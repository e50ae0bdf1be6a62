#include "trainer/kernels/softmax.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep::trainer {

void softmax_forward(const float* x, float* p, int rows, int classes) {
    for (int row = 0; row < rows; ++row, x += classes, p += classes) {
        const float top = *std::max_element(x, x + classes);
        double sum = 0.0;
        for (int i = 0; i < classes; ++i) sum += std::exp(static_cast<double>(x[i] - top));
        for (int i = 0; i < classes; ++i)
            p[i] = static_cast<float>(std::exp(static_cast<double>(x[i] - top)) / sum);
    }
}

void softmax_backward(const float* p, float* diff, int rows, int classes) {
    for (int row = 0; row < rows; ++row, p += classes, diff += classes) {
        double product = 0.0;
        for (int i = 0; i < classes; ++i)
            product += static_cast<double>(p[i]) * static_cast<double>(diff[i]);
        for (int i = 0; i < classes; ++i)
            diff[i] = static_cast<float>(static_cast<double>(p[i]) *
                                         (static_cast<double>(diff[i]) - product));
    }
}

LossSum softmax_cross_entropy(std::span<const float> logits, std::span<const Label> labels,
                              int classes, int batch, std::span<float> diff_logits,
                              double smoothing, std::span<const double> weights,
                              std::span<const SecondLabel> second) {
    LossSum sum;
    const double share = smoothing / classes;  // of every class
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t n = 0; n < labels.size(); ++n) {
        const auto row = logits.subspan(n * width, width);
        const auto top = std::ranges::max_element(row);
        const auto relative = [&](std::size_t j) {
            return static_cast<double>(row[j]) - static_cast<double>(*top);
        };
        double total = 0.0;
        for (std::size_t j = 0; j < width; ++j) total += std::exp(relative(j));
        const std::size_t label = labels[n];
        const SecondLabel other = second.empty() ? SecondLabel{} : second[n];
        const auto part = static_cast<double>(other.weight);
        double explained = relative(label);
        if (part > 0.0) explained = (1.0 - part) * explained + part * relative(other.label);
        if (smoothing > 0.0) {
            double of_all = 0.0;
            for (std::size_t j = 0; j < width; ++j) of_all += relative(j);
            explained = (1.0 - smoothing) * explained + share * of_all;
        }
        const std::size_t heavier = part > 0.5 ? other.label : label;
        const double weight = weights.empty() ? 1.0 : weights[heavier];
        sum.loss += weight * (std::log(total) - explained);
        sum.correct += static_cast<std::size_t>(top - row.begin()) == heavier ? 1 : 0;
        if (diff_logits.empty()) continue;
        for (std::size_t j = 0; j < width; ++j) {
            const double of_labels =
                (j == label ? 1.0 - part : 0.0) + (j == other.label ? part : 0.0);
            const double target = (1.0 - smoothing) * of_labels + share;
            diff_logits[n * width + j] =
                static_cast<float>(weight * ((std::exp(relative(j)) / total - target) / batch));
        }
    }
    return sum;
}

std::int64_t count_in_top(int k, std::span<const float> logits, std::span<const Label> labels,
                          int classes) {
    std::int64_t count = 0;
    const auto width = static_cast<std::size_t>(classes);
    for (std::size_t n = 0; n < labels.size(); ++n) {
        const auto row = logits.subspan(n * width, width);
        if (!std::ranges::all_of(row, [](float logit) { return std::isfinite(logit); })) continue;
        const float own = row[labels[n]];
        count += std::ranges::count_if(row, [&](float logit) { return logit > own; }) < k ? 1 : 0;
    }
    return count;
}

}  // namespace lockstep::trainer
