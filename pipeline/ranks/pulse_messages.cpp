#include "pipeline/ranks/pulse_messages.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <random>
#include <sstream>
#include <string_view>

#include "pipeline/ranks/process_state.hpp"
#include "pipeline/ranks/signals_held_back.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;
using liveness::Pulse;

constexpr std::chrono::milliseconds kPeriod{500};
constexpr std::size_t kMostRecords = 32;   // of a datagram: 1.3 KB pass every network undivided
constexpr std::size_t kMostAddresses = 4;  // of a machine
constexpr std::size_t kMostBytes = 2048;

struct Header {
    std::uint64_t job = 0;
    std::uint64_t records = 0;
};

// The machine's addresses, those of its own loop only where it has no others.
std::vector<std::string> own_addresses() {
    std::vector<std::string> found;
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return found;
    std::string loop;
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
        if ((one->ifa_flags & IFF_UP) == 0) continue;
        sockaddr_in address{};
        std::memcpy(&address, one->ifa_addr, sizeof address);
        std::array<char, INET_ADDRSTRLEN> text{};
        ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
        const bool is_loop = (one->ifa_flags & IFF_LOOPBACK) != 0;
        if (!is_loop) found.emplace_back(text.data());
        if (is_loop) loop = text.data();
    }
    ::freeifaddrs(all);
    if (found.empty() && !loop.empty()) found.push_back(loop);
    if (found.size() > kMostAddresses) found.resize(kMostAddresses);
    return found;
}

// A socket at a port that the system chooses; -1 where it gives none.
int open_socket() {
    const int opened = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    if (opened < 0) return -1;
    if (::bind(opened, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0) return opened;
    ::close(opened);
    return -1;
}

int port_of(int opened) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    if (::getsockname(opened, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
    return ntohs(address.sin_port);
}

// "1234 10.0.0.7 192.168.1.7"; "" without a socket.
std::string address_text(int opened) {
    if (opened < 0) return {};
    return fmt::format("{} {}", port_of(opened), fmt::join(own_addresses(), " "));
}

}  // namespace

std::string encode_pulses(std::uint64_t job, std::span<const PulseRecord> records) {
    const Header header{job, records.size()};
    std::string bytes(sizeof header + records.size_bytes(), '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    if (!records.empty())
        std::memcpy(bytes.data() + sizeof header, records.data(), records.size_bytes());
    return bytes;
}

std::vector<PulseRecord> decode_pulses(std::uint64_t job, std::string_view bytes) {
    Header header;
    if (bytes.size() < sizeof header) return {};
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes.remove_prefix(sizeof header);
    if (header.job != job || header.records > kMostRecords) return {};
    std::vector<PulseRecord> records(header.records);
    if (bytes.size() != records.size() * sizeof(PulseRecord)) return {};
    if (!records.empty()) std::memcpy(records.data(), bytes.data(), bytes.size());
    return records;
}

std::vector<PulseRecord> own_records(std::span<const Pulse> pulses) {
    std::vector<PulseRecord> records;
    for (const Pulse& pulse : pulses) {
        const std::int64_t process = pulse.process.load(std::memory_order_acquire);
        if (process == 0 || pulse.messages.load() > 0) continue;
        const ProcessState state = state_of_process(static_cast<pid_t>(process));
        records.push_back({.rank = pulse.rank.load(),
                           .phase = pulse.phase.load(),
                           .beats = pulse.beats.load(),
                           .ticks = pulse.ticks.load(),
                           .waits = pulse.waits.load(),
                           .state = static_cast<std::uint32_t>(state),
                           .step = pulse.step.load(),
                           .process = process});
    }
    return records;
}

void note_records(std::span<const PulseRecord> records, std::span<const std::string> hosts,
                  std::span<Pulse> pulses) {
    for (const PulseRecord& record : records) {
        const auto rank = static_cast<std::size_t>(record.rank);
        if (record.rank < 0 || rank >= pulses.size() || record.process <= 0) continue;
        Pulse& pulse = pulses[rank];
        const bool is_known = pulse.process.load() != 0;
        if (is_known && pulse.messages.load() == 0) continue;  // of this machine
        if (!is_known) {
            pulse.rank.store(record.rank);
            hosts[rank].copy(pulse.host, sizeof pulse.host - 1);
        }
        pulse.phase.store(record.phase);
        pulse.beats.store(record.beats);
        pulse.ticks.store(record.ticks);
        pulse.waits.store(record.waits);
        pulse.state.store(record.state);
        pulse.step.store(record.step);
        pulse.messages.fetch_add(1);
        pulse.process.store(record.process, std::memory_order_release);
    }
}

PulseMessages::PulseMessages(PulsePage& page, const trainer::Communicator& world) : page_(page) {
    const bool is_lowest = page.own().node_rank.load() == 0;
    if (world.all_agree(page.is_on_one_machine())) return;
    socket_ = is_lowest ? open_socket() : -1;
    const std::string job = world.broadcast_text(std::to_string(
        (static_cast<std::uint64_t>(std::random_device{}()) << 32) | std::random_device{}()));
    job_ = std::stoull(job);
    hosts_ = world.gather_texts(storage::host_name());
    const std::vector<std::string> addresses = world.gather_texts(address_text(socket_));
    if (socket_ < 0) return;
    for (int rank = 0; rank < world.size(); ++rank) {
        std::istringstream words(addresses[static_cast<std::size_t>(rank)]);
        int port = 0;
        words >> port;
        in_addr host{};
        for (std::string text; rank != world.rank() && words >> text;) {
            if (::inet_pton(AF_INET, text.c_str(), &host) != 1) continue;
            others_.push_back({host.s_addr, htons(static_cast<std::uint16_t>(port))});
        }
    }
    wake_up_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_up_ < 0) return;  // a thread that nobody can end is worse than silence
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { run(); });
}

PulseMessages::~PulseMessages() {
    if (thread_.joinable()) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(wake_up_, &one, sizeof one);
        thread_.join();
        send();  // that it ended in order
    }
    if (wake_up_ >= 0) ::close(wake_up_);
    if (socket_ >= 0) ::close(socket_);
}

void PulseMessages::run() {
    auto next = SteadyClock::now();
    for (;;) {
        const auto now = SteadyClock::now();
        if (now >= next) {
            send();
            next = now + kPeriod;
        }
        std::array<pollfd, 2> sources{{{wake_up_, POLLIN, 0}, {socket_, POLLIN, 0}}};
        const auto pause = std::chrono::ceil<std::chrono::milliseconds>(next - SteadyClock::now());
        ::poll(sources.data(), sources.size(), static_cast<int>(std::max(pause.count(), 0L)));
        if (sources[0].revents != 0) return;
        receive();
    }
}

// One that cannot be sent now is as good as lost.
void PulseMessages::send() const {
    const std::vector<PulseRecord> records = own_records(page_.pulses());
    for (std::size_t begin = 0; begin < records.size(); begin += kMostRecords) {
        const std::size_t count = std::min(kMostRecords, records.size() - begin);
        const std::string bytes = encode_pulses(job_, std::span(records).subspan(begin, count));
        for (const Address& other : others_) {
            sockaddr_in to{};
            to.sin_family = AF_INET;
            to.sin_port = other.port;
            to.sin_addr.s_addr = other.host;
            ::sendto(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to);
        }
    }
}

void PulseMessages::receive() {
    std::array<char, kMostBytes> buffer{};
    for (;;) {
        const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (count < 0) return;  // no more, for now
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        note_records(decode_pulses(job_, bytes), hosts_, page_.pulses());
    }
}

}  // namespace lockstep::pipeline
