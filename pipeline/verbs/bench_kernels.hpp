#pragma once

#include <string>
#include <vector>

#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct BenchKernelsOptions {
    // "64-128@8x8", "32-32@32,valid", "16-32@28,k5,s2": channels, filters @ height x width, then
    // padding (same), kernel (k3) and strides (s1). By default those of the tutorials' networks.
    std::vector<std::string> shapes;
    int images = 4;   // of a shard
    int rounds = 50;  // in which both run once, >= 1
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep bench kernels`: our convolutions, where they fit, against oneDNN's direct ones, in
// turns, on one core. Columns: shape; algorithm (winograd, or direct where the rule takes
// oneDNN's); direction (backward: both gradients in one call, oneDNN's in two); own_us and
// onednn_us (medians); ratio (median of the rounds' own by oneDNN's); own and onednn share_of_peak
// (flops of the direct algorithm by time, by the multiply-adds this core can do; Winograd may pass
// 1); own_error and onednn_error (relative L2, against double precision). Throws UsageError for a
// shape it does not understand.
int bench_kernels(const BenchKernelsOptions& options);

}  // namespace lockstep::pipeline
