// A training step in its steady state allocates nothing: no buffer, no text, no table of arguments.
// tests/support/allocation_counter.hpp tells what is counted, and whose it is.
#include <malloc.h>

#include <cstdlib>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "tests/support/allocation_counter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/tutorial_networks.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/network/network.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/training_step.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Frees memory that the compiler must believe to be used: else it leaves out both calls.
void give_back(void* memory) {
    asm volatile("" : : "r"(memory) : "memory");
    std::free(memory);
}

void* aligned_by_posix(std::size_t alignment, std::size_t size) {
    void* memory = nullptr;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}

// Allocations of three steps after the first two, of full batches and of a short one.
AllocationCount allocations_of_steps(const RunConfig& config, const RunData& data,
                                     const Communicator& comm) {
    Network network(config.layers, data.shape, static_cast<int>(data.class_names.size()));
    network.parameters().set_weights(
        initial_weights(infer_shapes(config.layers, data.shape, network.classes()), 1));
    BufferPool pool;
    TrainingStep step(config, data, network, comm, pool);
    const auto count = static_cast<std::size_t>(data.training.count());
    std::vector<std::uint32_t> samples(count);
    std::iota(samples.begin(), samples.end(), 0U);
    const auto full = std::span(samples).first(static_cast<std::size_t>(config.train.batch_size));
    const auto rest = std::span(samples).last(count % full.size());
    step.run(full, 1, 0, {});
    step.run(rest, 1, 1, {});
    return count_allocations([&] {
        step.run(full, 1, 2, {});
        step.run(rest, 1, 3, {});
        step.run(full, 1, 4, {});
    });
}

void check_none(const AllocationCount& count) {
    INFO("the libraries' own: " << count.of_libraries << "; " << count.first_of_libraries);
    CHECK(count.ours == 0);
}

}  // namespace

TEST_CASE("the counter counts what the trainer allocates", "[trainer][allocation]") {
    const auto count = [](const std::function<void()>& work) {
        return count_allocations(work).ours;
    };
    CHECK(count([] {}) == 0);
    CHECK(count([] { const AlignedArray<float> buffer(100); }) == 1);
    CHECK(count([] { const AlignedArray<float> of_huge_pages(1 << 20); }) == 1);
    CHECK(count([] { const std::vector<float> values(100); }) == 1);
    CHECK(count([] { std::string(100, ' ').append(100, ' '); }) == 2);  // inside libstdc++
    CHECK(count([] { give_back(std::malloc(100)); }) == 1);
    CHECK(count([] { give_back(std::calloc(10, 10)); }) == 1);
    CHECK(count([] { give_back(std::realloc(nullptr, 100)); }) == 1);
    CHECK(count([] { give_back(std::aligned_alloc(64, 128)); }) == 1);
    CHECK(count([] { give_back(memalign(64, 128)); }) == 1);
    CHECK(count([] { give_back(aligned_by_posix(64, 128)); }) == 1);
    CHECK(count([] { const Network network(plain_layers(), {8, 8, 3, false}, 4); }) > 0);
}

TEST_CASE("steps from the third on allocate nothing", "[trainer][allocation][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunData data = select_samples(
        make_tiny_dataset({.shape = {32, 32, 3, false}, .classes = 10, .training_samples = 20}),
        DataConfig{}, 1);
    for (TutorialNetwork& tutorial : tutorial_networks(true)) {
        if (tutorial.classes != 10) continue;  // three-class-bn has the layers of vgg-bn
        CAPTURE(tutorial.name);
        RunConfig config;
        config.layers = tutorial.layers;
        config.train.batch_size = 8;
        config.train.optimizer = tutorial.optimizer;
        check_none(allocations_of_steps(config, data, world));
    }
    for (const auto& layers : {activated_layers(), gated_layers()}) {
        CAPTURE(layers.front().name);
        RunConfig config = tiny_run(layers);
        config.layers.front().trainable = false;
        config.layers[2].trainable = false;
        const RunData tiny = select_samples(make_tiny_dataset(), config.data, 1);
        check_none(allocations_of_steps(config, tiny, world));
    }
    for (const AverageConfig& average :
         {AverageConfig{}, AverageConfig{EmaConfig{}},
          AverageConfig{LookaheadConfig{.sync_period = 1, .moving_statistics = true}}}) {
        CAPTURE(average.index());
        RunConfig config = tiny_recipe();
        config.train.optimizer.average = average;
        config.train.optimizer.gradient_accumulation_steps = 2;
        const RunData tiny = select_samples(make_tiny_dataset(), config.data, 1);
        check_none(allocations_of_steps(config, tiny, world));
    }
    for (const ExchangeKind kind : {ExchangeKind::ordered, ExchangeKind::ring, ExchangeKind::mpi}) {
        CAPTURE(static_cast<int>(kind));
        RunConfig config = tiny_recipe();
        config.train.optimizer.rule = MuonConfig{.exclude_convolutions = false};
        config.parallel.exchange = kind;
        const RunData tiny = select_samples(make_tiny_dataset(), config.data, 1);
        check_none(allocations_of_steps(config, tiny, world));
    }
    RunConfig mixed = whitened_run();
    mixed.data.augmentation.insert(mixed.data.augmentation.begin(),
                                   RandomRotationConfig{{-0.1, 0.1}, {}});
    const RunData images = select_samples(make_tiny_dataset(), mixed.data, 1);
    check_none(allocations_of_steps(mixed, images, world));
    for (const ExchangeKind kind : {ExchangeKind::ordered, ExchangeKind::ring, ExchangeKind::mpi}) {
        CAPTURE(static_cast<int>(kind));
        RunConfig config = tiny_run();
        config.parallel.exchange = kind;
        const RunData tiny = select_samples(make_tiny_dataset(), config.data, 1);
        check_none(allocations_of_steps(config, tiny, world));
    }
}
