#pragma once

// Collects what is wrong with an experiment file, so that all of it can be said at once.

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/settings/spec_error.hpp"

namespace lockstep::pipeline {

// A text that its copies share: every value of a file knows the file's name, and each of a long
// --set all of it.
class SharedText {
public:
    SharedText() = default;
    SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
    std::string_view view() const { return text_ ? std::string_view(*text_) : std::string_view(); }
    bool operator==(const SharedText& other) const {
        return text_ == other.text_ || view() == other.view();
    }

private:
    std::shared_ptr<const std::string> text_;
};

// Where a value was written.
struct Origin {
    enum class Kind { file, sweep, set };
    Kind kind = Kind::file;
    SharedText text;  // the file as the user named it, or what --set was given
    int line = 0;     // from 1; 0 for --set
    int column = 0;
    SharedText use{};  // of a value in a block of layers: which one, and where it is used
};
std::string place_of(const Origin& origin);  // "experiments/my.toml:14:1", "--set train.epoch=3"
std::string label_of(const Origin& origin);  // "my.toml:14", "sweep (my.toml:40)", "--set"

// Problems in the order they were found. One that is found again (several runs inherit one bad
// value, or use the block that has it) is kept once.
class Problems {
public:
    void add(const Origin& origin, std::string message, std::string detail = {});
    // For a value that was refused before, where it is met again.
    void add_again() { ++found_; }
    bool empty() const { return problems_.empty(); }
    // How often a problem was met: tells whether a piece of the file was read without any.
    std::size_t found() const { return found_; }
    // So many that looking for more is a waste: thousands of runs inherit the same mistakes.
    bool are_enough() const { return found_ >= 10'000; }
    // Throws SpecError with all problems, in the order of the file, those of --set last; if there
    // are any.
    void throw_if_any() const;

private:
    struct Placed {
        Origin origin;
        SpecProblem problem;
    };
    std::vector<Placed> problems_;
    std::size_t found_ = 0;
    std::set<std::pair<std::string, std::string>> known_;  // place, message
};

}  // namespace lockstep::pipeline
