#include "pipeline/settings/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

#include "pipeline/settings/path_text.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostProblems = 200;  // that are listed; nobody reads more

std::string joined(const std::vector<SpecProblem>& problems) {
    std::string text;
    for (const SpecProblem& problem : problems) {
        if (!text.empty()) text += '\n';
        text += to_string(problem);
    }
    return text;
}

constexpr std::size_t kShownOverride = 200;  // bytes of a --set that a message repeats

std::string beginning(std::string_view text) {
    return text.size() <= kShownOverride ? std::string(text)
                                         : std::string(text.substr(0, kShownOverride)) + "...";
}

// --set comes after the file.
std::tuple<bool, int, int> order_of(const Origin& origin) {
    return {origin.kind == Origin::Kind::set, origin.line, origin.column};
}

}  // namespace

std::string place_of(const Origin& origin) {
    if (origin.kind == Origin::Kind::set)
        return "--set " + printable(beginning(origin.text.view()));
    std::string place =
        fmt::format("{}:{}:{}", printable(origin.text.view()), origin.line, origin.column);
    if (!origin.use.view().empty()) place += fmt::format(" ({})", printable(origin.use.view()));
    return place;
}

std::string label_of(const Origin& origin) {
    if (origin.kind == Origin::Kind::set) return "--set";
    const std::string file =
        printable(std::filesystem::path(origin.text.view()).filename().string());
    const std::string line = fmt::format("{}:{}", file, origin.line);
    return origin.kind == Origin::Kind::sweep ? fmt::format("sweep ({})", line) : line;
}

std::string to_string(const SpecProblem& problem) {
    std::string text = problem.place + ": " + problem.message;
    if (!problem.detail.empty()) text += '\n' + problem.detail;
    return text;
}

SpecError::SpecError(std::vector<SpecProblem> problems)
    : std::runtime_error(joined(problems)), problems_(std::move(problems)) {}

void Problems::add(const Origin& origin, std::string message, std::string detail) {
    ++found_;
    Origin written = origin;
    written.use = {};  // a block's own mistake is met at each of its uses
    if (!known_.emplace(place_of(written), message).second) return;
    std::string place = place_of(origin);
    if (problems_.size() == kMostProblems) return;
    problems_.push_back({origin, {std::move(place), std::move(message), std::move(detail)}});
}

void Problems::throw_if_any() const {
    if (problems_.empty()) return;
    std::vector<Placed> ordered = problems_;
    std::stable_sort(ordered.begin(), ordered.end(), [](const Placed& a, const Placed& b) {
        return order_of(a.origin) < order_of(b.origin);
    });
    std::vector<SpecProblem> listed;
    for (Placed& placed : ordered) listed.push_back(std::move(placed.problem));
    if (known_.size() > listed.size()) {
        listed.push_back({listed.back().place,
                          fmt::format("and {} further problems", known_.size() - listed.size()),
                          {}});
    }
    if (are_enough()) {
        listed.push_back({listed.back().place,
                          "so many problems that the rest of the file was not looked at",
                          {}});
    }
    throw SpecError(std::move(listed));
}

}  // namespace lockstep::pipeline
