#include "pipeline/verbs/bench_kernels.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <regex>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/verbs/bench_figures.hpp"
#include "reports/tables/table_text.hpp"
#include "storage/records/records.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/kernels/convolution_benchmark.hpp"

namespace lockstep::pipeline {
namespace {

// The layers of the five tutorials but for the first ones, which see pixels, and 5 x 5 ones.
const std::vector<std::string>& tutorial_shapes() {
    static const std::vector<std::string> kShapes{
        "32-32@32",       "32-64@16",       "64-64@16",       "64-128@8",
        "128-128@8",      "32-32@32,valid", "32-64@15,valid", "64-64@15,valid",
        "64-64@13,valid", "16-32@16,k2",    "32-64@8,k2"};
    return kShapes;
}

trainer::ConvolutionBenchmarkConfig config_of(const std::string& shape,
                                              const BenchKernelsOptions& options) {
    static const std::regex kShape(
        "([1-9][0-9]{0,3})-([1-9][0-9]{0,3})@([1-9][0-9]{0,2})(x([1-9][0-9]{0,2}))?"
        "(,(same|valid))?(,k([1-9]))?(,s([1-9]))?");
    std::smatch part;
    if (!std::regex_match(shape, part, kShape)) {
        throw UsageError(fmt::format(
            "--shapes \"{}\": write channels-filters@height, as 64-128@8, then xWIDTH, ,valid or "
            ",same, ,kKERNEL and ,sSTRIDE where they are others: 32-32@28x28,valid,k5,s2",
            shape));
    }
    const auto number = [&](std::size_t i, int otherwise) {
        return part[i].matched ? std::stoi(part[i]) : otherwise;
    };
    const int kernel = number(9, 3), stride = number(11, 1), height = number(3, 0);
    trainer::ConvolutionBenchmarkConfig config;
    config.channels = number(1, 0);
    config.size = {height, number(5, height)};
    config.convolution.filters = number(2, 0);
    config.convolution.kernel_size = {kernel, kernel};
    config.convolution.strides = {stride, stride};
    config.convolution.padding =
        part[7] == "valid" ? trainer::Padding::valid : trainer::Padding::same;
    config.images = options.images;
    config.rounds = options.rounds;
    for (const int side : config.size) {
        const auto window = trainer::window_of(side, kernel, stride, config.convolution.padding);
        if (window.output < 1)
            throw UsageError(
                fmt::format("--shapes \"{}\": the kernel is larger than the image", shape));
    }
    return config;
}

// Both contenders, with their gradients and an exact result, must fit into memory: else the system
// would end some process.
void require_memory(const std::string& shape, const trainer::ConvolutionBenchmarkConfig& config) {
    const auto& convolution = config.convolution;
    const double filters = static_cast<double>(config.channels) * convolution.filters;
    const double weights = filters * convolution.kernel_size[0] * convolution.kernel_size[1];
    const double pixels = static_cast<double>(config.size[0]) * config.size[1] * config.images;
    constexpr double kFrequencies = 36, kCopies = 8;
    const double bytes =
        sizeof(double) * (kFrequencies * filters + kCopies * weights +
                          kCopies * pixels * (config.channels + convolution.filters));
    const double memory = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                          static_cast<double>(::sysconf(_SC_PAGESIZE));
    if (bytes <= memory / 2) return;
    throw Failure(kExitSystem,
                  fmt::format("--shapes \"{}\" needs some {:.0f} GiB, more than half of "
                              "this machine's memory",
                              shape, std::ceil(bytes / (1 << 30))));
}

double two_digits(double value) { return std::stod(fmt::format("{:.1e}", value)); }

void add_rows(const std::string& shape, const trainer::ConvolutionBenchmark& benchmark, double peak,
              storage::Table& table) {
    for (const trainer::ConvolutionTiming& timing : benchmark.timings) {
        const auto share = [&](double seconds) {
            return rounded(timing.flops / seconds / peak, 100);
        };
        table.rows.push_back({shape, benchmark.algorithm, timing.direction,
                              rounded(timing.own_seconds * 1e6, 10),
                              rounded(timing.onednn_seconds * 1e6, 10), rounded(timing.ratio, 100),
                              share(timing.own_seconds), share(timing.onednn_seconds),
                              two_digits(timing.own_error), two_digits(timing.onednn_error)});
    }
}

}  // namespace

int bench_kernels(const BenchKernelsOptions& options) {
    const auto& shapes = options.shapes.empty() ? tutorial_shapes() : options.shapes;
    std::vector<trainer::ConvolutionBenchmarkConfig> configs;
    for (const std::string& shape : shapes) {
        configs.push_back(config_of(shape, options));
        require_memory(shape, configs.back());
    }
    storage::Table table;
    table.columns = {"shape",     "algorithm",   "direction",         "own_us",
                     "onednn_us", "ratio",       "own_share_of_peak", "onednn_share_of_peak",
                     "own_error", "onednn_error"};
    double peak = 0.0;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        peak = trainer::measured_fma_peak();  // beside each shape: clocks drift
        add_rows(shapes[i], trainer::benchmark_convolution(configs[i]), peak, table);
    }
    fmt::print(stderr, "{} images a call, {} rounds, one core; multiply-adds at {:.0f} GFLOP/s\n",
               options.images, options.rounds, peak / 1e9);
    print(reports::table_text(table, options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
