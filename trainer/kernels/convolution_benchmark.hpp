#pragma once

// Convolutions of our own, where they fit, against oneDNN's direct ones: time in turns, errors
// against double.

#include <array>
#include <string>
#include <vector>

#include "trainer/config/train_config.hpp"

namespace lockstep::trainer {

struct ConvolutionBenchmarkConfig {
    // filters, kernel_size, strides, padding, dilation_rate, groups; without activation
    Conv2dConfig convolution;
    int channels = 0;           // of the source
    std::array<int, 2> size{};  // height, width of the source
    int images = 4;             // of the shard, >= 1
    int rounds = 50;            // >= 1; in each, both run once in every direction
};

struct ConvolutionTiming {
    std::string direction;  // forward, backward_data, backward_weights; backward: both in one call
    double own_seconds = 0.0;  // medians over the rounds
    double onednn_seconds = 0.0;
    double ratio = 0.0;      // median of the rounds' own by oneDNN's
    double own_error = 0.0;  // relative, L2 norm, against double precision
    double onednn_error = 0.0;
    double flops = 0.0;  // of the direct algorithm, 2 a multiply-add
};

struct ConvolutionBenchmark {
    std::string algorithm;  // of our side: winograd, depthwise, or direct where neither fits
    std::vector<ConvolutionTiming> timings;  // one a direction
};

// Runs on this rank alone, one thread. Values are normally distributed.
ConvolutionBenchmark benchmark_convolution(const ConvolutionBenchmarkConfig& config);

// Multiply-adds in registers, the most this core can do now: flops in a second.
double measured_fma_peak();

}  // namespace lockstep::trainer
