// Changed experiment files: read, or refused with their problems, never a crash.

#include <fstream>
#include <iterator>
#include <string>

#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mutations.hpp"

namespace lockstep::tests {
namespace {

std::string text_of(const std::string& name) {
    std::ifstream file(std::string(LOCKSTEP_EXPERIMENTS_DIR) + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

Readings read_files(const std::string& name, int count, std::uint64_t seed) {
    return read_mutations<pipeline::SpecError>(text_of(name), count, seed,
                                               [](const std::string& text) { read(text); });
}

void check(const Readings& readings, int given) {
    CHECK(readings.given == given);
    CHECK(readings.taken < given);
}

}  // namespace

TEST_CASE("mutations: experiment files", "[pipeline]") {
    check(read_files("smoke.toml", 300, 1), 300);
    check(read_files("quickstart.toml", 300, 2), 300);
    check(read_files("tutorials.toml", 100, 3), 100);
}

TEST_CASE("mutations: ten thousand experiment files", "[.slow][pipeline]") {
    check(read_files("smoke.toml", 5000, 11), 5000);
    check(read_files("quickstart.toml", 4000, 12), 4000);
    check(read_files("tutorials.toml", 1000, 13), 1000);
}

}  // namespace lockstep::tests
