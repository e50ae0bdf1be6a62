#include "pipeline/doctor/rank_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <sstream>

#include "pipeline/doctor/machine.hpp"

namespace lockstep::pipeline {
namespace {

constexpr char kSeparator = '\x1f';
constexpr double kClockSlack = 5.0;  // seconds; the ranks are asked one after the other

struct Compared {
    const char* check;
    std::string RankFacts::*value;
    Health health;
    const char* advice;
};

constexpr std::array kCompared{
    Compared{"Lockstep", &RankFacts::lockstep, Health::problem, "install one version on all hosts"},
    Compared{"program", &RankFacts::program, Health::problem,
             "the same file on all hosts: ranks of two builds may not agree on bits"},
    Compared{"oneDNN", &RankFacts::onednn, Health::problem, "install one version on all hosts"},
    Compared{"MPI library", &RankFacts::mpi, Health::problem, "install one version on all hosts"},
    Compared{"data", &RankFacts::data, Health::problem, "copy the same files to all hosts"},
    Compared{"instruction set", &RankFacts::isa, Health::warning,
             "all ranks take the least; hosts of one generation are faster"},
    Compared{"SIMD target", &RankFacts::simd, Health::warning,
             "all ranks take what they have in common"}};

Diagnosis compare(std::span<const RankFacts> ranks, const Compared& compared) {
    const std::string& first = ranks.front().*compared.value;
    std::string differing;
    for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
        const std::string& own = ranks[rank].*compared.value;
        if (own == first) continue;
        differing += fmt::format("{}rank {} on {}: {}", differing.empty() ? "" : "; ", rank,
                                 ranks[rank].host, own.empty() ? "none" : own.substr(0, 40));
    }
    const std::string shown = first.empty() ? "none" : first.substr(0, 40);
    if (differing.empty()) return {Health::ok, compared.check, shown + " on all ranks"};
    return {compared.health, compared.check,
            fmt::format("rank 0 on {}: {}; {}", ranks.front().host, shown, differing),
            compared.advice};
}

Diagnosis compare_clocks(std::span<const RankFacts> ranks) {
    for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
        const double apart = ranks[rank].clock - ranks.front().clock;
        if (apart < kClockSlack && apart > -kClockSlack) continue;
        return {Health::warning, "clocks",
                fmt::format("rank {} on {} is {:.0f} s apart from rank 0 on {}", rank,
                            ranks[rank].host, apart, ranks.front().host),
                "let the hosts keep time (NTP)"};
    }
    return {Health::ok, "clocks", "agree"};
}

std::set<int> cpus_in(const std::string& list) {
    const std::vector<int> cpus = cpu_list(list);
    return {cpus.begin(), cpus.end()};
}

Diagnosis compare_binding(std::span<const RankFacts> ranks) {
    std::map<std::string, std::pair<std::size_t, std::set<int>>> hosts;  // ranks, their CPUs
    for (const RankFacts& rank : ranks) {
        auto& [count, cpus] = hosts[rank.host];
        ++count;
        cpus.merge(cpus_in(rank.cpus));
    }
    for (const auto& [host, use] : hosts) {
        if (use.second.empty() || use.first <= use.second.size()) continue;
        return {Health::problem, "binding",
                fmt::format("{} ranks on {} hardware threads of {}", use.first, use.second.size(),
                            host),
                "mpirun --bind-to core --map-by core, or fewer ranks there"};
    }
    return {Health::ok, "binding", "every rank has a hardware thread of its own"};
}

}  // namespace

std::string packed(const RankFacts& facts) {
    return fmt::format("{1}{0}{2}{0}{3}{0}{4}{0}{5}{0}{6}{0}{7}{0}{8}{0}{9}{0}{10}", kSeparator,
                       facts.host, facts.lockstep, facts.program, facts.isa, facts.simd,
                       facts.onednn, facts.mpi, facts.data, facts.cpus, facts.clock);
}

RankFacts unpacked_facts(const std::string& text) {
    RankFacts facts;
    std::istringstream parts(text);
    for (std::string RankFacts::*value :
         {&RankFacts::host, &RankFacts::lockstep, &RankFacts::program, &RankFacts::isa,
          &RankFacts::simd, &RankFacts::onednn, &RankFacts::mpi, &RankFacts::data,
          &RankFacts::cpus}) {
        std::getline(parts, facts.*value, kSeparator);
    }
    parts >> facts.clock;
    return facts;
}

Diagnoses compare_ranks(std::span<const RankFacts> ranks) {
    Diagnoses diagnoses;
    for (const Compared& compared : kCompared) diagnoses.push_back(compare(ranks, compared));
    diagnoses.push_back(compare_clocks(ranks));
    diagnoses.push_back(compare_binding(ranks));
    return diagnoses;
}

}  // namespace lockstep::pipeline
