// A rank that is killed in the midst of an exchange, in each of its hops in turn, whatever the
// exchange and whatever it goes by: the run goes on to the same bytes.

#include <csignal>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

struct Way {
    std::string exchange;
    int ranks;
    bool goes_by_messages;  // each rank on a host of its own; else in shared memory, where it can
};

// A checkpoint as often as the disk allows.
std::vector<std::string> command_on(const fs::path& store, const Way& way,
                                    const std::string& fault) {
    const auto command = mpirun_command(
        way.ranks, rank_arguments(store, {"--set", "parallel.exchange=" + way.exchange, "--set",
                                          "checkpoint.every_minutes=1e-9"}));
    const std::string variable = "LOCKSTEP_FAULT=" + fault;
    return way.goes_by_messages ? preloading(LOCKSTEP_OWN_HOSTS, {variable}, command)
                                : with_variable(variable, command);
}

// `ordered` gives the bits of any number of ranks, the others those of their own.
std::string weights_of_undisturbed(const Way& way) {
    if (way.exchange == "ordered") return expected_weights();
    const TemporaryDirectory folder;
    CHECK(Process(command_on(folder / "store", way, "")).wait() == 0);
    return final_weights(folder / "store");
}

// Kills the rank in hop first, first + stride, ... of a step in the second epoch, each time after
// the run went on from the kill before, until there is no such hop: then the run ends. Returns how
// often it was killed.
int kill_in_hops(const Way& way, int rank, int first, int stride) {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    int kills = 0;
    for (int hop = first;; hop += stride) {
        const std::string fault = "exchange.hop@step=12@rank=" + std::to_string(rank) +
                                  "@count=" + std::to_string(hop) + ":kill";
        Process training(command_on(store, way, fault));
        const int exit_code = training.wait();
        wait_until([&] { return processes_with(store.string(), "lockstep").empty(); });
        if (exit_code == 0) break;
        INFO(fault << "\n" << training.errors());
        CHECK(exit_code == 128 + SIGKILL);
        if (exit_code != 128 + SIGKILL) break;
        ++kills;
    }
    CHECK(final_weights(store) == weights_of_undisturbed(way));
    CHECK(rows(store, "select count(*), max(epoch) from epochs") == "3,3\n");
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
    return kills;
}

const Way kShared{"ordered", 2, false};
const Way kMessages{"ordered", 3, true};       // slices, each to the rank that sums it
const Way kShortMessages{"ordered", 2, true};  // everything to all at once
const Way kRing{"ring", 3, false};
const Way kMpi{"mpi", 2, false};

TEST_CASE("A rank killed in some hops of an exchange: the same bytes", "[end_to_end]") {
    const Way way = GENERATE(kShared, kMessages, kShortMessages, kRing, kMpi);
    CAPTURE(way.exchange, way.ranks, way.goes_by_messages);
    CHECK(kill_in_hops(way, 1, 2, 7) >= 1);
}

TEST_CASE("The same in every hop of every rank", "[.slow][end_to_end]") {
    const Way way = GENERATE(kShared, kMessages, kShortMessages, kRing, kMpi);
    for (int rank = 0; rank < way.ranks; ++rank) {
        CAPTURE(way.exchange, way.ranks, way.goes_by_messages, rank);
        const int kills = kill_in_hops(way, rank, 1, 1);
        CHECK(kills >= 4);
        WARN(way.exchange << (way.goes_by_messages ? " by messages" : "") << ", rank " << rank
                          << " of " << way.ranks << ": " << kills << " hops");
    }
}

}  // namespace
}  // namespace lockstep::tests
