// A training step in its steady state allocates nothing.
//
// What is counted: every call of operator new whose caller is in this program, which holds the
// trainer's code; so std::vector, std::string, std::make_unique and their like. Not counted: what
// oneDNN and MPI allocate inside their own libraries during a call, which is theirs to decide.
#include <dlfcn.h>

#include <cstdlib>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "tests/support/tutorial_networks.hpp"
#include "trainer/network/network.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/training_step.hpp"

namespace {

bool is_counting = false;
int allocations = 0;

const void* module_of(const void* address) {
    Dl_info info{};
    return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

void* allocate(std::size_t size, std::size_t alignment, const void* caller) {
    if (is_counting) {
        is_counting = false;  // dladdr may allocate
        if (module_of(caller) == module_of(&is_counting)) ++allocations;
        is_counting = true;
    }
    const std::size_t rounded = (size + alignment) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, rounded);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

// All other forms of new and delete come to these.
void* operator new(std::size_t size) {
    return allocate(size, alignof(std::max_align_t), __builtin_return_address(0));
}
void* operator new[](std::size_t size) {
    return allocate(size, alignof(std::max_align_t), __builtin_return_address(0));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Allocations of three steps after the first two, of full batches and of a short one.
int allocations_of_steps(const RunConfig& config, const RunData& data, const Communicator& comm) {
    Network network(config.layers, data.shape, static_cast<int>(data.class_names.size()),
                    config.train.batch_size);
    network.parameters().set_weights(initial_weights(
        config.layers, infer_shapes(config.layers, data.shape, network.classes()), 1));
    BufferPool pool;
    TrainingStep step(config, data, network, comm, pool);
    const auto count = static_cast<std::size_t>(data.training.count());
    std::vector<std::uint32_t> samples(count);
    std::iota(samples.begin(), samples.end(), 0U);
    const auto full = std::span(samples).first(static_cast<std::size_t>(config.train.batch_size));
    const auto rest = std::span(samples).last(count % full.size());
    step.run(full, 1, 0, false);
    step.run(rest, 1, 1, false);
    allocations = 0;
    is_counting = true;
    step.run(full, 1, 2, false);
    step.run(rest, 1, 3, false);
    step.run(full, 1, 4, false);
    is_counting = false;
    return allocations;
}

}  // namespace

TEST_CASE("the counter counts what the trainer allocates", "[trainer][allocation]") {
    allocations = 0;
    is_counting = true;
    const Network network(plain_layers(), {8, 8, 3, false}, 4, 16);
    is_counting = false;
    CHECK(allocations > 0);
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
        CHECK(allocations_of_steps(config, data, world) == 0);
    }
    for (const ExchangeKind kind : {ExchangeKind::ordered, ExchangeKind::ring, ExchangeKind::mpi}) {
        CAPTURE(static_cast<int>(kind));
        RunConfig config = tiny_run();
        config.parallel.exchange = kind;
        const RunData tiny = select_samples(make_tiny_dataset(), config.data, 1);
        CHECK(allocations_of_steps(config, tiny, world) == 0);
    }
}
