// A program of another project: counts the parameters of a small network.
#include <cstdio>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/config/train_config.hpp"

int main() {
    namespace trainer = lockstep::trainer;
    const std::vector<trainer::LayerConfig> layers{
        {.name = "flatten", .kind = trainer::FlattenConfig{}},
        {.name = "dense", .kind = trainer::DenseConfig{.units = 10}},
    };
    const trainer::Shape image{.height = 32, .width = 32, .channels = 3};
    const auto architecture = trainer::infer_shapes(layers, image, 10);
    std::printf("%lld parameters\n", static_cast<long long>(architecture.parameter_count()));
    return architecture.parameter_count() == 32 * 32 * 3 * 10 + 10 ? 0 : 1;
}
