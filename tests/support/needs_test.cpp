#include "tests/support/needs.hpp"

#include <cstdlib>
#include <stdexcept>

#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

// The program's arguments, as main() has them.
class Arguments {
public:
    explicit Arguments(std::vector<std::string> words) : words_(std::move(words)) {
        for (std::string& word : words_) pointers_.push_back(word.data());
    }
    std::vector<char*>& pointers() { return pointers_; }
    std::vector<std::string> words() const { return {pointers_.begin(), pointers_.end()}; }

private:
    std::vector<std::string> words_;
    std::vector<char*> pointers_;
};

// A machine with data and without golden steps.
const std::vector<Need> kNeeds{{"data", [] { return true; }, "no data"},
                               {"golden", [] { return false; }, "no golden steps"}};

std::optional<Absence> absence(std::vector<std::string> words) {
    Arguments arguments(std::move(words));
    return absent_need(arguments.pointers(), kNeeds);
}

class Required {
public:
    explicit Required(const char* needs) { setenv("LOCKSTEP_REQUIRE", needs, 1); }
    ~Required() { unsetenv("LOCKSTEP_REQUIRE"); }
    Required(const Required&) = delete;
    Required& operator=(const Required&) = delete;
};

TEST_CASE("needs: a program with all it needs goes on, without their words") {
    Arguments arguments({"program", "--needs", "data", "[tag]", "--needs", "data"});
    CHECK_FALSE(absent_need(arguments.pointers(), kNeeds));
    CHECK(arguments.words() == std::vector<std::string>{"program", "[tag]"});
    CHECK_FALSE(absence({"program"}));
}

TEST_CASE("needs: what is absent ends the program as skipped, or as failed where it is required") {
    const Required nothing("");
    CHECK(absence({"program", "--needs", "data", "--needs", "golden"}).value().exit_code ==
          kSkipped);
    CHECK(absence({"/bin/program", "--needs", "golden"}).value().message ==
          "skipped: program needs golden: no golden steps");
    const Required other("data,golden_apples");
    CHECK(absence({"program", "--needs", "golden"}).value().exit_code == kSkipped);
    const Required golden("data,golden");
    CHECK(absence({"program", "--needs", "golden"}).value().exit_code == EXIT_FAILURE);
    CHECK_FALSE(absence({"program", "--needs", "data"}));
}

TEST_CASE("needs: a need that nobody knows is an error") {
    CHECK_THROWS_AS(absence({"program", "--needs", "dta"}), std::invalid_argument);
    CHECK_THROWS_AS(absence({"program", "--needs"}), std::invalid_argument);
}

}  // namespace
}  // namespace lockstep::tests
