#pragma once

// Signs of life between machines: twice a second the lowest rank of each machine sends its page
// (pulse_page.hpp) to the others, in datagrams of UDP, 40 bytes a rank. So each machine's page
// holds all ranks of the job, and a machine that falls silent is seen.
//
// They go beside MPI, by a thread of their own: MPI itself waits for minutes for a machine that no
// longer answers. Datagrams may be lost, or stopped by a firewall: a rank that was never heard of
// is not judged.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/ranks/pulse_page.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// What one datagram says, as bytes. All ranks are one build (build_agreement.hpp), on machines
// alike.
struct PulseRecord {
    std::int32_t rank = 0;
    std::uint32_t phase = 0;
    std::uint32_t beats = 0;
    std::uint32_t ticks = 0;
    std::int32_t waits = 0;
    std::uint32_t state = 0;  // a ProcessState
    std::int64_t step = 0;
    std::int64_t process = 0;
};
std::string encode_pulses(std::uint64_t job, std::span<const PulseRecord> records);
// Nothing for bytes that are no such datagram, or of another job.
std::vector<PulseRecord> decode_pulses(std::uint64_t job, std::string_view bytes);

// This machine's ranks, as they are now.
std::vector<PulseRecord> own_records(std::span<const liveness::Pulse> pulses);
// Writes into the page what another machine has told; of its own ranks a machine knows better.
//   hosts   names, by rank
void note_records(std::span<const PulseRecord> records, std::span<const std::string> hosts,
                  std::span<liveness::Pulse> pulses);

class PulseMessages {
public:
    // Collective. Nothing is sent where all ranks are on one machine, and by ranks that are not the
    // lowest of theirs. `page` must outlive it.
    // Throws std::system_error if the system gives no thread.
    PulseMessages(PulsePage& page, const trainer::Communicator& world);
    ~PulseMessages();
    PulseMessages(const PulseMessages&) = delete;
    PulseMessages& operator=(const PulseMessages&) = delete;

private:
    void run();
    void send() const;
    void receive();

    PulsePage& page_;
    std::uint64_t job_ = 0;           // tells its datagrams from those of others
    std::vector<std::string> hosts_;  // by rank
    struct Address {
        std::uint32_t host = 0;  // IPv4, in network order
        std::uint16_t port = 0;  // in network order
    };
    std::vector<Address> others_;
    int socket_ = -1;
    int wake_up_ = -1;  // an eventfd
    std::thread thread_;
};

}  // namespace lockstep::pipeline
