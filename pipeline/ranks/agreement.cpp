#include "pipeline/ranks/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/process_state.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

// "70 message" and back; an empty text stands for no error.
std::string packed(const std::exception_ptr& error) {
    if (error == nullptr) return {};
    const Failure failure = failure_of(error);
    return std::to_string(failure.exit_code()) + " " + failure.what();
}

AgreedFailure unpacked(std::string_view text) {
    const std::size_t space = text.find(' ');
    int exit_code = kExitInternal;
    std::from_chars(text.data(), text.data() + space, exit_code);
    return {exit_code, std::string(text.substr(space + 1))};
}

// Every host has a rank that fails.
bool fails_everywhere(const std::vector<std::string>& texts,
                      const std::vector<std::string>& hosts) {
    std::set<std::string_view> failing;
    for (std::size_t rank = 0; rank < texts.size(); ++rank)
        if (!texts[rank].empty()) failing.insert(hosts[rank]);
    return std::ranges::all_of(hosts, [&](const auto& host) { return failing.contains(host); });
}

}  // namespace

void agree_on_errors(const trainer::Communicator& comm, const std::exception_ptr& error) {
    const std::vector<std::string> texts = comm.gather_texts(packed(error));
    const auto first = std::ranges::find_if(texts, [](const auto& text) { return !text.empty(); });
    if (first == texts.end()) return;
    const std::vector<std::string> hosts = comm.gather_texts(storage::host_name());
    const auto rank = static_cast<std::size_t>(first - texts.begin());
    const AgreedFailure failure = unpacked(*first);
    // What fails on one machine and not on all is of that machine.
    if (fails_everywhere(texts, hosts)) throw failure;
    throw AgreedFailure(failure.exit_code(),
                        fmt::format("rank {} ({}): {}", rank, hosts[rank], failure.what()));
}

}  // namespace lockstep::pipeline
