#include "pipeline/experiment/run_names.hpp"

#include <fmt/format.h>

#include "pipeline/settings/toml_tree.hpp"
#include "trainer/determinism/digest.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kLongestName = 64;  // that storage::is_safe_name() takes
constexpr std::size_t kDigits = 8;        // of the digest

std::string shortened(const std::string& base, const std::vector<std::string>& parts,
                      const std::string& seed_part) {
    const std::string all = fmt::format("{}-{}", base, fmt::join(parts, "-"));
    const std::string end = '-' + trainer::sha256_hex(all).substr(0, kDigits) + seed_part;
    const std::size_t room = kLongestName - end.size();
    std::string name = base.substr(0, room);
    for (const std::string& part : parts) {
        if (name.size() + 1 + part.size() > room) break;
        name += '-' + part;
    }
    return name + end;
}

}  // namespace

std::string run_name(const std::string& base, const std::vector<std::string>& parts,
                     const std::string& seed_part) {
    std::string name = base;
    for (const std::string& part : parts) name += '-' + part;
    name += seed_part;
    return name.size() <= kLongestName ? name : shortened(base, parts, seed_part);
}

bool RunNames::take(const std::string& name, const Origin& origin) {
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const auto [entry, is_new] = taken_.emplace(lower, name);
    if (is_new) return true;
    problems_.add(origin, entry->second == name
                              ? fmt::format("there is another run named {}", quoted_text(name))
                              : fmt::format("the run names {} and {} differ in case only",
                                            quoted_text(entry->second), quoted_text(name)));
    return false;
}

}  // namespace lockstep::pipeline
