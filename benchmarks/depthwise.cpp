// Convolutions of channels by themselves and in groups beside oneDNN's depthwise and direct ones,
// of the shapes of a MobileNet: microseconds a call, and the median of the rounds' ratios.
//
//     build/benchmarks/depthwise [images of the shard: 4 [rounds: 200]]

#include <cstdio>
#include <cstdlib>

#include "trainer/kernels/convolution_benchmark.hpp"

namespace {

using namespace lockstep::trainer;

struct Case {
    int channels, size, groups, stride = 1, dilation_rate = 1;
};

void measure(const Case& c, int images, int rounds) {
    const ConvolutionBenchmark benchmark =
        benchmark_convolution({.convolution = {.filters = c.channels,
                                               .kernel_size = {3, 3},
                                               .strides = {c.stride, c.stride},
                                               .padding = Padding::same,
                                               .dilation_rate = {c.dilation_rate, c.dilation_rate},
                                               .groups = c.groups},
                               .channels = c.channels,
                               .size = {c.size, c.size},
                               .images = images,
                               .rounds = rounds});
    std::printf("| %d @ %d | %d | %d | %d |", c.channels, c.size, c.groups, c.stride,
                c.dilation_rate);
    for (const ConvolutionTiming& timing : benchmark.timings)
        std::printf(" %.1f, %.2f |", timing.own_seconds * 1e6, timing.ratio);
    std::printf("\n");
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const int images = argc > 1 ? std::atoi(argv[1]) : 4;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 200;
    std::printf(
        "| channels @ size | groups | stride | dilation | forward us, ratio | data | weights "
        "| both |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (const int stride : {1, 2})
        for (const Case& c :
             {Case{32, 32, 32}, Case{64, 32, 64}, Case{64, 16, 64}, Case{128, 16, 128},
              Case{128, 8, 128}, Case{256, 8, 256}, Case{256, 4, 256}})
            measure({c.channels, c.size, c.groups, stride}, images, rounds);
    for (const int groups : {1, 2, 4, 8, 16}) measure({64, 16, groups}, images, rounds);
    for (const int rate : {2, 4}) measure({64, 16, 1, 1, rate}, images, rounds);
    return 0;
}
