#include "pipeline/ranks/pulse_page.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

namespace lockstep::pipeline {
namespace {

using liveness::Pulse;

constexpr const char* kVariable = "LOCKSTEP_PULSES";

std::size_t bytes_for(int ranks) { return static_cast<std::size_t>(ranks) * sizeof(Pulse); }

std::span<Pulse> as_pulses(std::span<std::byte> bytes) {
    return {reinterpret_cast<Pulse*>(bytes.data()), bytes.size() / sizeof(Pulse)};
}

std::optional<trainer::MemoryFile::Address> offered_to(int ranks) {
    const char* text = std::getenv(kVariable);
    if (text == nullptr) return std::nullopt;
    std::istringstream words(text);
    trainer::MemoryFile::Address address;
    int offered = 0;
    words >> offered >> address.process >> address.descriptor >> address.device >> address.inode;
    if (!words || offered != ranks) return std::nullopt;
    return address;
}

std::optional<trainer::FileMapping> map_offered(int ranks) {
    const auto address = offered_to(ranks);
    if (!address) return std::nullopt;
    const auto file = trainer::MemoryFile::open_to_write(*address);
    return file ? file->map_to_write(bytes_for(ranks)) : std::nullopt;
}

}  // namespace

std::optional<PulseFile> PulseFile::create(int ranks) {
    auto file = trainer::MemoryFile::create(bytes_for(ranks));
    if (!file || !file->fill_with_zeros(bytes_for(ranks))) return std::nullopt;
    auto mapping = file->map_to_write(bytes_for(ranks));
    if (!mapping) return std::nullopt;
    return PulseFile(std::move(*file), std::move(*mapping));
}

void PulseFile::offer() {
    std::memset(mapping_.bytes().data(), 0, mapping_.bytes().size());
    const auto address = file_.address();
    const std::string text = fmt::format("{} {} {} {} {}", pulses().size(), address.process,
                                         address.descriptor, address.device, address.inode);
    ::setenv(kVariable, text.c_str(), 1);
}

std::span<Pulse> PulseFile::pulses() const { return as_pulses(mapping_.bytes()); }

PulsePage::PulsePage(const trainer::Communicator& world)
    : PulsePage(world, world.split_by_node()) {}

PulsePage::PulsePage(const trainer::Communicator& world, const trainer::Communicator& node)
    : mapping_(map_offered(world.size())) {
    if (!node.all_agree(mapping_.has_value())) mapping_.reset();
    if (mapping_) {
        pulses_ = as_pulses(mapping_->bytes());
        watcher_ = static_cast<pid_t>(offered_to(world.size())->process);
    } else if (auto shared = trainer::SharedMemory::map(node, bytes_for(world.size()))) {
        pulses_ = as_pulses(shared_.emplace(std::move(*shared)).bytes());
    } else {
        alone_ = std::vector<Pulse>(static_cast<std::size_t>(world.size()));
        pulses_ = alone_;
    }
    is_on_one_machine_ = node.size() == world.size();
    join(world, node);
}

PulsePage::~PulsePage() { liveness::use_pulse(nullptr); }

void PulsePage::join(const trainer::Communicator& world, const trainer::Communicator& node) {
    own_ = &pulses_[static_cast<std::size_t>(world.rank())];
    ::gethostname(own_->host, sizeof own_->host - 1);
    own_->rank.store(world.rank());
    own_->node_rank.store(node.rank());
    own_->step.store(-1);
    own_->first_step.store(-1);
    liveness::use_pulse(own_);
    liveness::note(liveness::Phase::start);
    own_->process.store(::getpid(), std::memory_order_release);  // from now on it is looked at
}

}  // namespace lockstep::pipeline
