// Paths of any bytes pass through TOML, which is UTF-8, and come back.
#include "pipeline/settings/path_text.hpp"

#include <filesystem>
#include <string>

#include "pipeline/planning/effective_config.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

// Of a Unicode table, a Latin-1 name, a variable that is none, control characters.
const std::string kPaths[] = {"/data/\xe2\x82\xac \xf0\x9f\x98\x80", "/d\xe4ta/\xff",
                              "/a/${HOME}/${0xff}", "/a\n\x1b[1m\"\\b",
                              "/\xed\xa0\x80/\xc0\xaf/\xf4\x90\x80\x80\xe2\x82"};

}  // namespace

TEST_CASE("a path of any bytes is the same after effective.toml", "[path_text]") {
    for (const std::string& path : kPaths) {
        CAPTURE(path);
        CHECK(pipeline::is_utf8(pipeline::path_text(path)));
        auto run = read(kHead + run_text()).runs.at(0);
        run.config.data.path = path;
        run.config.train.initial_weights = path;
        run.origins["data.path"] = "d\xc3\xa4ta.toml:1";
        const auto config = pipeline::effective_config(run);
        const std::string toml = pipeline::effective_toml(config, "test");
        CHECK(pipeline::is_utf8(toml));
        const auto again = read(toml).runs.at(0);
        CHECK(again.config.data.path.string() == path);
        CHECK(again.config.train.initial_weights.string() == path);
    }
}

TEST_CASE("a path without odd bytes is written as it is", "[path_text]") {
    CHECK(pipeline::path_text("/data/cifar10 $x {y}") == "/data/cifar10 $x {y}");
    CHECK(pipeline::path_text("/a\xff") == "/a${0xff}");
    CHECK(pipeline::path_text("${X}") == "${0x24}{X}");
}

TEST_CASE("well-formed UTF-8 is that of the standard", "[path_text]") {
    for (const char* good :
         {"", "a", "\xc3\xa4", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        CHECK(pipeline::is_utf8(good));
    }
    for (const char* bad :
         {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xff"}) {
        CHECK_FALSE(pipeline::is_utf8(bad));
    }
}

TEST_CASE("names of bytes are exactly these", "[path_text]") {
    CHECK(pipeline::byte_named("0xff") == '\xff');
    CHECK(pipeline::byte_named("0x0A") == '\n');
    for (const char* name : {"0x00", "0xf", "0xfff", "0xg1", "0x-1", "xff", "HOME", ""}) {
        CHECK_FALSE(pipeline::byte_named(name).has_value());
    }
}

TEST_CASE("a --set of a path may hold any bytes, other texts are UTF-8", "[path_text]") {
    const auto spec = read(kHead + run_text(), {"data.path=/d\xff"});
    CHECK(spec.runs.at(0).config.data.path.string() == "/d\xff");
    CHECK(contains(problem_in(kHead + run_text(), {"run.a.title=t\xff"}),
                   "--set run.a.title=t\\xff: title must be a text in UTF-8"));
}

TEST_CASE("a path longer than any is refused, however it came to be", "[path_text]") {
    const auto long_home = [](const std::string&) { return std::string(1000, 'x'); };
    std::string path;
    for (int i = 0; i < 10'000; ++i) path.append("${HOME}");
    const std::string text = std::string(kHead) + "[data]\npath = \"" + path + "\"\n" + run_text();
    CHECK_THROWS_WITH(pipeline::read_spec(text, "exp.toml", {{}, long_home}),
                      "exp.toml:4:1: the path has more than 4096 bytes");
}
