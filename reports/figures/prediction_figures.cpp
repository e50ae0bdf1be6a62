#include "reports/figures/prediction_figures.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace lockstep::reports {
namespace {

using storage::Predictions;

ShownPrediction predicted_of(const Predictions& predictions, std::size_t sample) {
    const std::size_t classes = predictions.class_names.size();
    const std::span<const float> row(predictions.probabilities.data() + sample * classes, classes);
    // The first one of equals, as argmax has it; a NaN is never the largest.
    std::size_t best = 0;
    for (std::size_t i = 1; i < classes; ++i) {
        if (row[i] > row[best] || (std::isnan(row[best]) && !std::isnan(row[i]))) best = i;
    }
    return {static_cast<std::uint32_t>(sample), std::nullopt, predictions.labels[sample],
            static_cast<int>(best), row.empty() ? 0.0 : double{row[best]}};
}

bool is_right(const ShownPrediction& one) {
    return one.label == one.predicted && std::isfinite(one.confidence);
}

std::vector<CalibrationBin> empty_bins() {
    std::vector<CalibrationBin> bins(kCalibrationBins);
    for (int i = 0; i < kCalibrationBins; ++i) {
        auto& bin = bins[static_cast<std::size_t>(i)];
        bin.low = static_cast<double>(i) / kCalibrationBins;
        bin.high = static_cast<double>(i + 1) / kCalibrationBins;
    }
    return bins;
}

std::size_t bin_of(double confidence) {
    const auto place = static_cast<int>(std::ceil(confidence * kCalibrationBins)) - 1;
    return static_cast<std::size_t>(std::clamp(place, 0, kCalibrationBins - 1));
}

void add_calibration(const std::vector<ShownPrediction>& all, PredictionFigures& figures) {
    figures.bins = empty_bins();
    for (const ShownPrediction& one : all) {
        if (!std::isfinite(one.confidence)) continue;
        CalibrationBin& bin = figures.bins[bin_of(one.confidence)];
        ++bin.samples;
        bin.confidence += one.confidence;
        bin.accuracy += is_right(one) ? 1.0 : 0.0;
    }
    const auto counted = static_cast<double>(figures.samples - figures.not_finite);
    if (counted == 0.0) return;
    double error = 0.0;
    for (CalibrationBin& bin : figures.bins) {
        if (bin.samples == 0) continue;
        error += std::abs(bin.accuracy - bin.confidence) / counted;
        bin.confidence /= static_cast<double>(bin.samples);
        bin.accuracy /= static_cast<double>(bin.samples);
    }
    figures.expected_calibration_error = error;
}

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
    if (whole == 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(whole);
}

void add_classes(const std::vector<ShownPrediction>& all, PredictionFigures& figures) {
    const std::size_t classes = figures.class_names.size();
    figures.confusion.assign(classes * classes, 0);
    for (const std::string& name : figures.class_names) figures.classes.push_back({.name = name});
    for (const ShownPrediction& one : all) {
        if (!std::isfinite(one.confidence)) continue;
        const auto label = static_cast<std::size_t>(one.label);
        const auto predicted = static_cast<std::size_t>(one.predicted);
        ++figures.confusion[label * classes + predicted];
        ++figures.classes[label].samples;
        ++figures.classes[predicted].predicted;
        if (label == predicted) ++figures.classes[label].correct;
    }
    for (ClassFigures& each : figures.classes) {
        each.precision = ratio(each.correct, each.predicted);
        each.recall = ratio(each.correct, each.samples);
        each.f1 = ratio(2 * each.correct, each.samples + each.predicted);
    }
}

void add_shown(const Predictions& predictions, std::vector<ShownPrediction>& all,
               PredictionFigures& figures) {
    for (std::size_t i = 0; i < predictions.image_samples.size(); ++i) {
        ShownPrediction& one = all[predictions.image_samples[i]];
        if (!one.image) one.image = i;
        if (figures.first.size() < kShownImages) figures.first.push_back(one);
    }
    for (const ShownPrediction& one : all) {
        if (!is_right(one) && std::isfinite(one.confidence)) figures.mistakes.push_back(one);
    }
    std::ranges::stable_sort(figures.mistakes, std::ranges::greater{},
                             &ShownPrediction::confidence);
    if (figures.mistakes.size() > kShownImages) figures.mistakes.resize(kShownImages);
}

}  // namespace

PredictionFigures prediction_figures(const Predictions& predictions) {
    PredictionFigures figures;
    figures.class_names = predictions.class_names;
    figures.samples = static_cast<std::int64_t>(predictions.labels.size());
    std::vector<ShownPrediction> all;
    for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
        all.push_back(predicted_of(predictions, i));
        figures.is_correct.push_back(is_right(all.back()));
        if (!std::isfinite(all.back().confidence)) ++figures.not_finite;
    }
    add_classes(all, figures);
    add_calibration(all, figures);
    add_shown(predictions, all, figures);
    return figures;
}

}  // namespace lockstep::reports
