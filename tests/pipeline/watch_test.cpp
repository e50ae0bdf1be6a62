#include "pipeline/ranks/watch.hpp"

#include <unistd.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "pipeline/ranks/mpirun_words.hpp"
#include "pipeline/ranks/pulse_messages.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using liveness::Phase;
using liveness::Pulse;
using std::chrono::seconds;

// Three ranks at step 7, of which no process exists.
class Ranks {
public:
    Ranks() : pulses_(3) {
        for (std::size_t rank = 0; rank < pulses_.size(); ++rank) {
            Pulse& pulse = pulses_[rank];
            std::strcpy(pulse.host, "node07");
            pulse.rank = static_cast<int>(rank);
            pulse.step = 7;
            pulse.process = 100 + static_cast<int>(rank);
            put(rank, Phase::forward);
        }
    }
    void put(std::size_t rank, Phase phase, bool waits = false) {
        pulses_[rank].phase = static_cast<std::uint32_t>(phase);
        pulses_[rank].waits = waits ? 1 : 0;
    }
    void beat(std::size_t rank) { ++pulses_[rank].beats; }
    void step(std::size_t rank) {
        ++pulses_[rank].step;
        beat(rank);
    }
    // Before its first step.
    void begin(std::size_t rank) { pulses_[rank].step = -1; }
    // From the first to this one, since the look before.
    void take(std::size_t rank, std::int64_t first, std::int64_t step) {
        pulses_[rank].first_step = first;
        pulses_[rank].step = step;
        beat(rank);
    }
    // On another machine, which tells of it.
    void hear(std::size_t rank) { tell(rank, ProcessState::alive); }
    void tell(std::size_t rank, ProcessState state) {
        ++pulses_[rank].messages;
        pulses_[rank].state = static_cast<std::uint32_t>(state);
    }
    std::map<pid_t, ProcessState> states;

    Watch watch(std::optional<seconds> timeout = {}) {
        return Watch(pulses_, timeout, [this](pid_t process) { return states[process]; });
    }

private:
    std::vector<Pulse> pulses_;
};

TEST_CASE("watch: the rank that others wait for is told after a while, once, then ends the job") {
    Ranks ranks;
    ranks.put(0, Phase::exchange, true);
    ranks.put(2, Phase::exchange, true);
    Watch watch = ranks.watch(seconds(30));
    for (int second = 1; second < 30; ++second) {
        const auto finding = watch.look(seconds(1));
        CHECK(finding.has_value() == (second == 10));
        if (!finding) continue;
        CHECK_FALSE(finding->is_end);
        CHECK(finding->text ==
              "rank 1 (node07, process 101): no progress for 10 s in forward, step 7");
    }
    const auto end = watch.look(seconds(1));
    REQUIRE(end);
    CHECK(end->is_end);
    CHECK(end->process == 101);
}

TEST_CASE("watch: a stopped process is the one, whatever it said") {
    Ranks ranks;
    for (const std::size_t rank : {0, 1, 2}) ranks.put(rank, Phase::exchange, true);
    ranks.states[102] = ProcessState::stopped;
    Watch watch = ranks.watch(seconds(20));
    const auto finding = watch.look(seconds(20));
    REQUIRE(finding);
    CHECK(finding->is_end);
    CHECK(finding->text ==
          "rank 2 (node07, process 102): no progress for 20 s in exchange, step 7; the process is "
          "stopped");
}

TEST_CASE("watch: ranks that only wait have twice the time, for others to be named first") {
    Ranks ranks;
    for (const std::size_t rank : {0, 1, 2}) ranks.put(rank, Phase::exchange, true);
    Watch watch = ranks.watch(seconds(20));
    CHECK_FALSE(watch.look(seconds(39)));
    const auto finding = watch.look(seconds(1));
    REQUIRE(finding);
    CHECK(finding->text.ends_with("; it waits for ranks elsewhere"));
}

TEST_CASE("watch: ranks may wait as long as one works, and after their last run") {
    Ranks ranks;
    ranks.put(0, Phase::exchange, true);
    ranks.put(2, Phase::idle, true);
    Watch watch = ranks.watch(seconds(20));
    for (int i = 0; i < 100; ++i) {
        ranks.beat(1);
        CHECK_FALSE(watch.look(seconds(5)));
    }
}

TEST_CASE("watch: a stuck rank of one group is found while another group works") {
    Ranks ranks;
    ranks.put(0, Phase::exchange, true);
    Watch watch = ranks.watch(seconds(20));
    std::optional<Watch::Finding> end;
    for (int i = 0; i < 20; ++i) {
        ranks.beat(2);
        end = watch.look(seconds(1));
    }
    REQUIRE(end);
    CHECK(end->is_end);
    CHECK(end->process == 101);
}

// Seconds until a silent rank ends the job, by looks of one second.
int seconds_to_end(Watch& watch) {
    for (int second = 1; second < 10000; ++second) {
        const auto finding = watch.look(seconds(1));
        if (finding && finding->is_end) return second;
    }
    return 0;
}

TEST_CASE("watch: without a time given a stall is twenty times the longest step, at least 60 s") {
    Ranks ranks;
    Watch watch = ranks.watch();
    const auto [step_seconds, limit] =
        GENERATE(std::pair(1, 60), std::pair(2, 60), std::pair(5, 100));
    for (int step = 0; step < 3; ++step) {
        for (int second = 0; second < step_seconds; ++second) CHECK_FALSE(watch.look(seconds(1)));
        for (const std::size_t rank : {0, 1, 2}) ranks.step(rank);
    }
    CHECK_FALSE(watch.look(seconds(1)));  // the last signs
    CHECK(seconds_to_end(watch) == limit);
}

TEST_CASE(
    "watch: steps that passed before the first look at one are a measure, unless of minutes") {
    for (const int reading : {5, 200}) {  // seconds
        CAPTURE(reading);
        Ranks ranks;
        for (const std::size_t rank : {0, 1, 2}) ranks.begin(rank);
        Watch watch = ranks.watch();
        for (int second = 0; second < reading; ++second) {
            for (const std::size_t rank : {0, 1, 2}) ranks.beat(rank);
            watch.look(seconds(1));
        }
        for (const std::size_t rank : {0, 1, 2}) ranks.take(rank, 3, 14);
        ranks.put(0, Phase::exchange, true);
        ranks.put(2, Phase::exchange, true);
        watch.look(seconds(1));
        int silent = 0;
        for (bool is_end = false; !is_end && silent < 700; ++silent) {
            const auto finding = watch.look(seconds(1));
            is_end = finding && finding->is_end;
        }
        CHECK(silent == (reading == 5 ? 60 : 600));
    }
}

TEST_CASE("watch: before a step was measured, and at disks, it takes ten minutes") {
    Ranks ranks;
    Watch first = ranks.watch();
    CHECK(seconds_to_end(first) == 600);
    Watch watch = ranks.watch();
    CHECK_FALSE(watch.look(seconds(1)));
    for (const std::size_t rank : {0, 1, 2}) ranks.step(rank);
    CHECK_FALSE(watch.look(seconds(1)));
    ranks.put(0, Phase::recording);
    ranks.put(1, Phase::checkpoint, true);
    ranks.put(2, Phase::checkpoint, true);
    CHECK(seconds_to_end(watch) == 600);
}

TEST_CASE("watch: a process that is gone ends the job, unless all are ending") {
    Ranks ranks;
    ranks.states[101] = ProcessState::gone;
    Watch watch = ranks.watch();
    CHECK_FALSE(watch.look(seconds(4)));
    const auto finding = watch.look(seconds(1));
    REQUIRE(finding);
    CHECK(finding->text == "rank 1 (node07, process 101) is gone, last in forward, step 7");
    ranks.put(1, Phase::finalize);
    CHECK(watch.look(seconds(1)));  // it left while others work
    for (const std::size_t rank : {0, 1, 2}) ranks.put(rank, Phase::finalize);
    CHECK_FALSE(watch.look(seconds(1)));
}

TEST_CASE("watch: a machine that falls silent while others wait is named, and ends the job") {
    Ranks ranks;
    ranks.put(0, Phase::checkpoint);      // in a call of MPI by now, which nobody has noted
    ranks.put(1, Phase::exchange, true);  // when it was heard last
    ranks.put(2, Phase::exchange, true);
    ranks.hear(1);
    ranks.hear(2);
    Watch watch = ranks.watch();
    CHECK_FALSE(watch.look(seconds(1)));  // the last signs
    for (int second = 1; second < 25; ++second) {
        ranks.hear(2);
        const auto finding = watch.look(seconds(1));
        CAPTURE(second);
        CHECK(finding.has_value() == (second == 9));
        if (finding) CHECK_FALSE(finding->is_end);
    }
    ranks.hear(2);
    const auto end = watch.look(seconds(1));
    REQUIRE(end);
    CHECK(end->is_end);
    CHECK(end->process == 0);  // a process of that number here is another one
    CHECK(end->text ==
          "rank 1 (node07, process 101): no sign of life from its host for 25 s, last in exchange, "
          "step 7");
}

TEST_CASE("watch: messages may stop as long as the training goes on, and at its end") {
    Ranks ranks;
    ranks.hear(1);
    Watch watch = ranks.watch(seconds(20));
    for (int i = 0; i < 100; ++i) {
        ranks.step(0);
        ranks.step(2);
        CHECK_FALSE(watch.look(seconds(1)));
    }
    for (const std::size_t rank : {0, 1, 2}) ranks.put(rank, Phase::finalize);
    CHECK_FALSE(watch.look(seconds(19)));
}

TEST_CASE("watch: what another machine tells of a stopped rank is believed") {
    Ranks ranks;
    for (const std::size_t rank : {0, 1, 2}) ranks.put(rank, Phase::exchange, true);
    ranks.tell(2, ProcessState::stopped);
    Watch watch = ranks.watch(seconds(20));
    CHECK_FALSE(watch.look(seconds(1)));
    for (int second = 0; second < 19; ++second) {
        ranks.tell(2, ProcessState::stopped);
        watch.look(seconds(1));
    }
    ranks.tell(2, ProcessState::stopped);
    const auto end = watch.look(seconds(1));
    REQUIRE(end);
    CHECK(end->process == 0);
    CHECK(end->text.ends_with("step 7; the process is stopped"));
}

TEST_CASE("watch: datagrams come through whole, to their own job, and leave this machine's ranks") {
    std::vector<Pulse> there(3), here(3);
    there[1].rank = 1;
    there[1].process = ::getpid();
    there[1].phase = static_cast<std::uint32_t>(Phase::backward);
    there[1].waits = 1;
    there[1].step = 812;
    const std::string bytes = encode_pulses(77, own_records(there));
    CHECK(bytes.size() == 16 + 40);
    const std::vector<std::string> hosts{"a", "b", std::string(100, 'c')};
    note_records(decode_pulses(77, bytes), hosts, here);
    CHECK(here[1].messages == 1);
    CHECK(here[1].step == 812);
    CHECK(here[1].waits == 1);
    CHECK(Watch::name_of(here[1]) == "rank 1 (b, process " + std::to_string(::getpid()) + ")");
    CHECK(Watch::place_of(here[1]) == "backward, step 812");
    CHECK(own_records(here).empty());  // not told on
    CHECK(decode_pulses(78, bytes).empty());
    for (std::size_t length = 0; length < bytes.size(); ++length)
        CHECK(decode_pulses(77, bytes.substr(0, length)).empty());
    CHECK(decode_pulses(77, bytes + "x").empty());
    CHECK(decode_pulses(77, encode_pulses(77, std::vector<PulseRecord>(33))).empty());

    std::vector<PulseRecord> odd(4);
    odd[0] = {.rank = -1, .process = 5};
    odd[1] = {.rank = 3, .process = 5};
    odd[2] = {.rank = 2, .process = 0};
    odd[3] = {.rank = 0, .step = 9, .process = 5};
    here[0].process = 4;  // of this machine
    note_records(odd, hosts, here);
    CHECK(here[0].process == 4);
    CHECK(here[0].step == -1);
    CHECK(here[2].process == 0);
    odd[2].rank = 2;
    odd[2].process = 6;
    note_records(odd, hosts, here);
    CHECK(std::string(here[2].host) == std::string(63, 'c'));
}

// mpirun ends the ranks of a job that has lost a host, and then itself: it has time to.
TEST_CASE("watch: a process that is gone after a long silence is not gone for as long") {
    Ranks ranks;
    Watch watch = ranks.watch();
    CHECK_FALSE(watch.look(seconds(8)));
    ranks.states[101] = ProcessState::gone;
    CHECK_FALSE(watch.look(seconds(1)));
    CHECK(watch.look(seconds(4)));
}

TEST_CASE("mpirun's words: who ended first, and how") {
    const auto killed = first_end(
        "mpirun noticed that process rank 3 with PID 0 on node n7 exited on signal 9 (Killed).\n");
    REQUIRE(killed);
    CHECK(killed->rank == 3);
    CHECK(killed->host == "n7");
    CHECK(killed->how == "was killed by signal 9 (Killed)");
    const auto code = first_end(
        "The first process to do so was:\n\n  Process name: [[24063,1],12]\n  Exit code:    3\n");
    REQUIRE(code);
    CHECK(code->rank == 12);
    CHECK(code->how == "ended with exit code 3");
    const auto five = first_end("  Process name: [prterun-vm-4711@1,2]\n  Exit code:    75\n");
    REQUIRE(five);
    CHECK(five->rank == 2);
    const auto early = first_end(
        "mpirun has exited due to process rank 1 with PID 0 on\nnode vm exiting improperly. There");
    REQUIRE(early);
    CHECK(early->rank == 1);
    const auto early_in_five = first_end(
        "prterun has exited due to process rank 0 with PID 4712 on node vm exiting\n"
        "improperly. There are three reasons this could occur:\n");
    REQUIRE(early_in_five);
    CHECK(early_in_five->rank == 0);
    CHECK(early_in_five->host == "vm");
    CHECK(early_in_five->how == "ended early, with exit code 0");
    const auto killed_in_five = first_end(
        "prterun noticed that process rank 1 with PID 4713 on node vm exited on\n"
        "signal 11 (Segmentation fault).\n");
    REQUIRE(killed_in_five);
    CHECK(killed_in_five->how == "was killed by signal 11 (Segmentation fault)");
    const auto host = first_end(
        "ORTE has lost communication with a remote daemon.\n\n  HNP daemon   : [[1,0],0] on node "
        "a\n"
        "  Remote daemon: [[1,0],1] on node b\n");
    REQUIRE(host);
    CHECK_FALSE(host->rank);
    CHECK(host->host == "b");
    const auto unreachable = first_end(
        "ssh: connect to host slow-1 port 22: No route to host\r\n"
        "ORTE was unable to reliably start one or more daemons.\n");
    REQUIRE(unreachable);
    CHECK_FALSE(unreachable->rank);
    CHECK(unreachable->host == "slow-1");
    CHECK(unreachable->how == "cannot be reached: No route to host");
    const auto cut = first_end(
        "Connection to slow-1 closed by remote host.\n"
        "ORTE was unable to reliably start one or more daemons.\n");
    REQUIRE(cut);
    CHECK(cut->host == "slow-1");
    CHECK(cut->how == "no longer answers");
    const auto closed = first_end("me@node7: Permission denied (publickey).\n");
    REQUIRE(closed);
    CHECK(closed->host == "node7");
    CHECK(closed->how == "lets nobody in: Permission denied (publickey).");
    const auto unnamed = first_end("ORTE was unable to reliably start one or more daemons.\n");
    REQUIRE(unnamed);
    CHECK(unnamed->host.empty());
    CHECK_FALSE(first_end(""));
    CHECK_FALSE(first_end("all is well"));
}

}  // namespace
}  // namespace lockstep::pipeline
