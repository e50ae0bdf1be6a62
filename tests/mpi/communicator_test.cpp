#include "trainer/exchange/communicator.hpp"

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::trainer;

namespace {

// Of every length, and with bytes that end C strings.
std::string text_of(int rank) {
    std::string text(static_cast<std::size_t>(rank) * 1000, static_cast<char>('a' + rank));
    if (rank > 0) text[0] = '\0';
    return text;
}

}  // namespace

TEST_CASE("split orders the ranks of a color by rank") {
    const Communicator world(MPI_COMM_WORLD);
    const Communicator part = world.split(world.rank() % 2);
    CHECK(part.rank() == world.rank() / 2);
    CHECK(part.size() == (world.size() + 1 - world.rank() % 2) / 2);
    CHECK(part.is_root() == (world.rank() < 2));
}

TEST_CASE("a moved communicator goes on with its ranks") {
    Communicator first(MPI_COMM_WORLD);
    const Communicator second(std::move(first));
    CHECK(second.gather_texts("x").size() == static_cast<std::size_t>(second.size()));
}

TEST_CASE("broadcast_text brings rank 0's text to all, of any length") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{1'000'003}}) {
        const std::string text(length, 'x');
        CHECK(comm.broadcast_text(comm.is_root() ? text : "of another rank") == text);
    }
}

TEST_CASE("gather_texts gives every rank all texts, by rank") {
    const Communicator comm(MPI_COMM_WORLD);
    const std::vector<std::string> texts = comm.gather_texts(text_of(comm.rank()));
    REQUIRE(texts.size() == static_cast<std::size_t>(comm.size()));
    for (int rank = 0; rank < comm.size(); ++rank) {
        CHECK(texts[static_cast<std::size_t>(rank)] == text_of(rank));
    }
}

TEST_CASE("broadcast copies rank 0's bytes") {
    const Communicator comm(MPI_COMM_WORLD);
    std::vector<int> values{comm.rank(), -comm.rank()};
    comm.broadcast(std::as_writable_bytes(std::span(values)));
    CHECK(values == std::vector<int>{0, 0});
    comm.broadcast({});
}

TEST_CASE("all_gather places uneven counts at their offsets, also none at all") {
    const Communicator comm(MPI_COMM_WORLD);
    std::vector<int> counts;
    std::vector<int> offsets;
    std::vector<double> expected;
    for (int rank = 0; rank < comm.size(); ++rank) {
        counts.push_back(rank % 3);  // 0, 1, 2, 0, ...
        offsets.push_back(static_cast<int>(expected.size()));
        for (int i = 0; i < rank % 3; ++i) expected.push_back(100.0 * rank + i);
    }
    const auto mine = static_cast<std::size_t>(comm.rank());
    const std::span<const double> own = std::span<const double>(expected).subspan(
        static_cast<std::size_t>(offsets[mine]), static_cast<std::size_t>(counts[mine]));
    std::vector<double> all(expected.size(), -1.0);
    comm.all_gather(own, all, counts, offsets);
    CHECK(all == expected);

    const std::vector<int> zeros(counts.size(), 0);
    comm.all_gather({}, {}, zeros, zeros);
}

TEST_CASE("all_gather refuses lengths that do not fit, on every rank") {
    const Communicator comm(MPI_COMM_WORLD);
    const auto ranks = static_cast<std::size_t>(comm.size());
    const std::vector<int> counts(ranks, 1);
    const std::vector<int> zeros(ranks, 0);
    const std::vector<int> beyond(ranks, comm.size());
    const std::vector<double> one{1.0};
    std::vector<double> all(ranks);
    CHECK_THROWS_AS(comm.all_gather({}, all, counts, zeros), std::invalid_argument);
    CHECK_THROWS_AS(comm.all_gather(one, all, counts, beyond), std::invalid_argument);
    CHECK_THROWS_AS(comm.all_gather(one, all, std::span(counts).first(ranks - 1), zeros),
                    std::invalid_argument);
}

TEST_CASE("an error of MPI comes back with MPI's own text") {
    const Communicator comm(MPI_COMM_WORLD);
    int value = 0;
    const int code = MPI_Send(&value, 1, MPI_INT, comm.size(), 0, comm.handle());
    try {
        check_mpi(code, "MPI_Send");
        FAIL("sending to a rank that does not exist succeeded");
    } catch (const CommError& error) {
        CHECK_THAT(error.what(), Catch::Matchers::StartsWith("MPI_Send failed: MPI_ERR_RANK"));
    }
}
