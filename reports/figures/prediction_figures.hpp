#pragma once

// What predictions.h5 tells of one run on its test set. Computes; prints nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/weights/predictions_file.hpp"

namespace lockstep::reports {

inline constexpr int kCalibrationBins = 15;
inline constexpr std::size_t kShownImages = 25;  // of each grid

struct ClassFigures {
    std::string name;
    std::int64_t samples = 0;    // of this class
    std::int64_t predicted = 0;  // as this class
    std::int64_t correct = 0;
    std::optional<double> precision{};  // correct / predicted; none where nothing was predicted
    std::optional<double> recall{};     // correct / samples
    std::optional<double> f1{};         // 2 correct / (samples + predicted)
};

// The samples whose highest probability lies in (low, high].
struct CalibrationBin {
    double low = 0.0;
    double high = 0.0;
    std::int64_t samples = 0;
    double confidence = 0.0;  // mean highest probability; 0 without samples
    double accuracy = 0.0;    // fraction that is right; 0 without samples
};

struct ShownPrediction {
    std::uint32_t sample = 0;
    std::optional<std::size_t> image{};  // its place in Predictions::images
    int label = 0;
    int predicted = 0;
    double confidence = 0.0;  // probability of the predicted class
};

struct PredictionFigures {
    std::vector<std::string> class_names;
    std::int64_t samples = 0;
    std::vector<std::int64_t> confusion;  // [label, predicted], row-major
    std::vector<ClassFigures> classes;
    std::vector<CalibrationBin> bins;
    // Sum over bins of samples / all x |accuracy - confidence|, equal-width bins: C. Guo et al.:
    // On calibration of modern neural networks. ICML 2017. arXiv:1706.04599
    std::optional<double> expected_calibration_error{};  // none without samples
    std::vector<ShownPrediction> first;                  // the first ones that have an image
    std::vector<ShownPrediction> mistakes;  // most confident first; equals in order of samples
    std::vector<bool> is_correct;           // [samples]
    // Not numbers: of a network that diverged. They count as mistakes and in no bin.
    std::int64_t not_finite = 0;
};

PredictionFigures prediction_figures(const storage::Predictions& predictions);

}  // namespace lockstep::reports
