// The allreduces against a sum in double, within rounding; the ordered ring against a plain loop
// over the shards, to the last bit.
#include "trainer/exchange/allreduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/mpi/shard_gradients.hpp"
#include "tests/support/catch.hpp"
#include "trainer/exchange/classic_ring.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/mpi_allreduce.hpp"
#include "trainer/exchange/ordered_ring.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

struct NamedAllreduce {
    std::string name;
    bool is_ordered;
    std::unique_ptr<Allreduce> allreduce;
};

NamedAllreduce named(const std::string& name, bool is_ordered,
                     std::unique_ptr<Allreduce> allreduce) {
    return {name, is_ordered, std::move(allreduce)};
}

// All there are, with their own and with awkward chunk sizes.
std::vector<NamedAllreduce> all_allreduces(const Communicator& comm, std::size_t count) {
    std::vector<NamedAllreduce> all;
    all.push_back(named("ordered ring", true, std::make_unique<OrderedRing>(comm, count)));
    all.push_back(named("classic ring", false, std::make_unique<ClassicRing>(comm, count)));
    all.push_back(named("mpi", false, std::make_unique<MpiAllreduce>(comm, count)));
    for (const std::size_t chunk_size : {count / 40 + 1, count / 3 + 1, count + 1000}) {
        const std::string suffix = " in chunks of " + std::to_string(chunk_size);
        all.push_back(named("ordered ring" + suffix, true,
                            std::make_unique<OrderedRing>(comm, count, chunk_size)));
        all.push_back(named("classic ring" + suffix, false,
                            std::make_unique<ClassicRing>(comm, count, chunk_size)));
    }
    return all;
}

std::vector<double> sum_in_double(std::span<const std::span<const float>> own_shards,
                                  std::size_t count, const Communicator& comm, bool of_magnitudes) {
    std::vector<double> sum(count, 0.0);
    for (const auto shard : own_shards) {
        for (std::size_t i = 0; i < count; ++i) {
            sum[i] += of_magnitudes ? std::abs(double{shard[i]}) : double{shard[i]};
        }
    }
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, sum.data(), static_cast<int>(count), MPI_DOUBLE, MPI_SUM,
                            comm.handle()),
              "MPI_Allreduce");
    return sum;
}

// The bound of any order of S additions: (S - 1) x epsilon / 2 x sum of magnitudes, and a bit.
bool is_within_rounding(std::span<const float> sum, std::span<const double> exact,
                        std::span<const double> magnitudes, std::size_t shards) {
    const double unit = static_cast<double>(shards) * std::numeric_limits<float>::epsilon();
    for (std::size_t i = 0; i < sum.size(); ++i) {
        if (!(std::abs(double{sum[i]} - exact[i]) <= unit * magnitudes[i])) return false;
    }
    return true;
}

bool is_equal_on_all_ranks(std::span<const float> sum, const Communicator& comm) {
    std::vector<float> root(sum.begin(), sum.end());
    comm.broadcast(std::as_writable_bytes(std::span(root)));
    return same_bits(root, sum);
}

struct Case {
    std::size_t shards = 0;
    std::size_t count = 0;
    Ownership ownership = Ownership::near_equal;
    std::size_t misalignment = 0;  // of gradients and sum, in floats
};

void check_allreduces(const Case& tested, const Communicator& comm) {
    const ShardGradients gradients(tested.shards, tested.count, 1, tested.misalignment);
    const auto own = gradients.own(comm.rank(), comm.size(), tested.ownership);
    const std::vector<float> serial = gradients.serial_sum();
    const auto exact = sum_in_double(own, tested.count, comm, false);
    const auto magnitudes = sum_in_double(own, tested.count, comm, true);
    for (const NamedAllreduce& entry : all_allreduces(comm, tested.count)) {
        INFO(entry.name << ", shards " << tested.shards << ", count " << tested.count << ", "
                        << to_string(tested.ownership) << ", rank " << comm.rank());
        std::vector<float> memory(tested.misalignment + tested.count, 7.0F);
        const auto sum = std::span(memory).subspan(tested.misalignment);
        entry.allreduce->sum_shards(own, sum);
        CHECK(is_within_rounding(sum, exact, magnitudes, tested.shards));
        CHECK(is_equal_on_all_ranks(sum, comm));
        if (entry.is_ordered) CHECK(same_bits(sum, serial));
    }
}

}  // namespace

TEST_CASE("the allreduces sum every length, from 0 elements on") {
    const Communicator comm(MPI_COMM_WORLD);
    const auto ranks = static_cast<std::size_t>(comm.size());
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, ranks - 1, ranks, ranks + 1, std::size_t{1000}}) {
        check_allreduces({.shards = 8, .count = count}, comm);
    }
}

TEST_CASE("the allreduces sum 1,000,003 elements") {
    const Communicator comm(MPI_COMM_WORLD);
    check_allreduces({.shards = 3, .count = 1'000'003}, comm);
}

TEST_CASE("the allreduces sum any number of shards, wherever they are owned") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t shards : {1U, 2U, 3U, 8U, 11U}) {
        for (const Ownership ownership :
             {Ownership::near_equal, Ownership::all_on_first, Ownership::all_on_last}) {
            check_allreduces({.shards = shards, .count = 2021, .ownership = ownership}, comm);
        }
    }
}

TEST_CASE("without any shard the sum is zero") {
    const Communicator comm(MPI_COMM_WORLD);
    check_allreduces({.shards = 0, .count = 100}, comm);
}

TEST_CASE("the allreduces take buffers that lie anywhere in memory") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t misalignment : {1U, 3U, 15U}) {
        check_allreduces({.shards = 8, .count = 5003, .misalignment = misalignment}, comm);
    }
}

TEST_CASE("one allreduce sums step after step") {
    const Communicator comm(MPI_COMM_WORLD);
    constexpr std::size_t kCount = 3001;
    for (const NamedAllreduce& entry : all_allreduces(comm, kCount)) {
        bool all_right = true;
        for (std::uint32_t step = 0; step < 20; ++step) {
            const ShardGradients gradients(8, kCount, step);
            const auto ownership = step % 5 == 4 ? Ownership::all_on_first : Ownership::near_equal;
            std::vector<float> sum(kCount);
            entry.allreduce->sum_shards(gradients.own(comm.rank(), comm.size(), ownership), sum);
            if (entry.is_ordered) all_right = all_right && same_bits(sum, gradients.serial_sum());
            all_right = all_right && is_equal_on_all_ranks(sum, comm);
        }
        INFO(entry.name << ", rank " << comm.rank());
        CHECK(all_right);
    }
}

TEST_CASE("groups of ranks sum side by side") {
    const Communicator world(MPI_COMM_WORLD);
    const Communicator group = world.split(world.rank() % 2);
    check_allreduces({.shards = 8, .count = 2021}, group);
}

TEST_CASE("a wrong length is refused before anything is sent") {
    const Communicator comm(MPI_COMM_WORLD);
    constexpr std::size_t kCount = 100;
    const ShardGradients gradients(8, kCount, 1);
    const ShardGradients short_gradients(8, kCount - 1, 1);
    for (const NamedAllreduce& entry : all_allreduces(comm, kCount)) {
        INFO(entry.name << ", rank " << comm.rank());
        std::vector<float> sum(kCount);
        std::vector<float> long_sum(kCount + 1);
        const auto own = gradients.own(comm.rank(), comm.size(), Ownership::near_equal);
        if (comm.rank() == comm.size() - 1) {  // the others would wait if this rank had not thrown
            CHECK_THROWS_AS(entry.allreduce->sum_shards(own, long_sum), std::invalid_argument);
            CHECK_THROWS_AS(entry.allreduce->sum_shards(short_gradients.all(), sum),
                            std::invalid_argument);
        }
        entry.allreduce->sum_shards(own, sum);
        CHECK(is_equal_on_all_ranks(sum, comm));
        if (entry.is_ordered) CHECK(same_bits(sum, gradients.serial_sum()));
    }
}

TEST_CASE("impossible chunk sizes are refused") {
    const Communicator comm(MPI_COMM_WORLD);
    const auto beyond_int = std::size_t{1} << 31;
    CHECK_THROWS_AS(OrderedRing(comm, 10, 0), CommError);
    CHECK_THROWS_AS(OrderedRing(comm, 10, beyond_int), CommError);
    CHECK_THROWS_AS(ClassicRing(comm, 10, 0), CommError);
    CHECK_THROWS_AS(ClassicRing(comm, 10, beyond_int), CommError);
}
