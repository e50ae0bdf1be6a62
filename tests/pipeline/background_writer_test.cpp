// One piece of work at a time, in order, and its errors once. Under the thread sanitizer: no access
// to what owner and work share that handing over and settling leave unordered.
#include "pipeline/recording/background_writer.hpp"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"

using lockstep::pipeline::BackgroundWriter;

namespace {

using Work = BackgroundWriter::Work;

constexpr const char* kWords = "disk full";

Work failing() {
    return Work([] { throw std::runtime_error(kWords); });
}

// Work that waits until it is let go.
class Gate {
public:
    Work work() {
        return Work([this] { opened_.get_future().wait(); });
    }
    void open() { opened_.set_value(); }

private:
    std::promise<void> opened_;
};

}  // namespace

TEST_CASE("work is done in the order in which it was handed over", "[pipeline]") {
    constexpr int kPieces = 200;
    std::vector<int> done;  // of the work while it is in flight, else of this thread
    BackgroundWriter writer;
    for (int piece = 0; piece < kPieces; ++piece)
        writer.start(Work([&, piece] { done.push_back(piece); }));
    writer.settle();
    REQUIRE(done.size() == kPieces);
    for (int piece = 0; piece < kPieces; ++piece)
        CHECK(done[static_cast<std::size_t>(piece)] == piece);
}

TEST_CASE("handing over waits for nothing; the next one waits for the one before", "[pipeline]") {
    Gate gate;
    std::atomic<bool> is_first_done{false};
    bool was_first_done = false;
    BackgroundWriter writer;
    writer.start(gate.work());
    writer.check();  // in flight: no error, and no waiting
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        is_first_done = true;
        gate.open();
    });
    writer.start(Work([&] { was_first_done = is_first_done; }));
    CHECK(is_first_done);
    writer.settle();
    CHECK(was_first_done);
    later.join();
}

TEST_CASE("with nothing in flight nothing is waited for", "[pipeline]") {
    BackgroundWriter writer;
    writer.check();
    writer.settle();
    writer.start(Work([] {}));
    writer.settle();
    writer.settle();
    writer.check();
}

TEST_CASE("an error is told once, and the work after it is dropped", "[pipeline]") {
    BackgroundWriter writer;
    bool is_done = false;
    writer.start(failing());
    CHECK_THROWS_WITH(writer.start(Work([&] { is_done = true; })), kWords);
    writer.settle();
    CHECK_FALSE(is_done);

    writer.start(failing());
    CHECK_THROWS_WITH(writer.settle(), kWords);
    writer.settle();
    writer.check();

    writer.start(Work([&] { is_done = true; }));  // it still works
    writer.settle();
    CHECK(is_done);
}

TEST_CASE("an error is told by the first check after it", "[pipeline]") {
    BackgroundWriter writer;
    writer.start(failing());
    const auto told = [&] {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (std::chrono::steady_clock::now() < until) {
            try {
                writer.check();
            } catch (const std::runtime_error& error) {
                return std::string(error.what());
            }
        }
        return std::string("nothing");
    };
    CHECK(told() == kWords);
    writer.settle();
}

TEST_CASE("its end waits for the work in flight", "[pipeline]") {
    int done = 0;
    {
        BackgroundWriter writer;
        writer.start(Work([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            ++done;
        }));
    }
    CHECK(done == 1);
    {
        BackgroundWriter writer;
        writer.start(failing());  // lost
    }
}

TEST_CASE("its thread takes no signals, the owner's are as they were", "[pipeline]") {
    sigset_t before, after, of_writer;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    BackgroundWriter writer;
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    writer.start(Work([&] { pthread_sigmask(SIG_SETMASK, nullptr, &of_writer); }));
    writer.settle();
    for (const int signal_number : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) {
        CAPTURE(signal_number);
        CHECK(sigismember(&of_writer, signal_number) == 1);
        CHECK(sigismember(&after, signal_number) == sigismember(&before, signal_number));
    }
}
