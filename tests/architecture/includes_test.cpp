#include "tests/architecture/includes.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::tests {
namespace {

const std::filesystem::path kSourceRoot = LOCKSTEP_SOURCE_DIR;

// A source tree with one file in it.
class PlantedTree {
public:
    void plant(const std::filesystem::path& file, const std::string& text) {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    std::vector<std::string> problems() const {
        return forbidden_includes(read_includes(root_.path()));
    }

private:
    TemporaryDirectory root_;
};

TEST_CASE("architecture: no include of this tree is forbidden", "[architecture]") {
    const auto includes = read_includes(kSourceRoot);
    REQUIRE(includes.size() > 100);  // the tree was found
    CHECK(forbidden_includes(includes) == std::vector<std::string>{});
}

TEST_CASE("architecture: the arrows between the rooms have no cycle", "[architecture]") {
    const auto arrows = room_arrows(read_includes(kSourceRoot));
    CHECK(arrows.contains({"pipeline", "trainer"}));
    CHECK(find_cycle(arrows) == std::vector<std::string>{});
}

TEST_CASE("architecture: a planted forbidden include is found, with its line", "[architecture]") {
    PlantedTree tree;
    tree.plant("storage/rows.cpp",
               "#include <vector>\n\n#  include \"trainer/network/network.hpp\"\n");
    CHECK(
        tree.problems() ==
        std::vector<std::string>{
            "storage/rows.cpp:3: storage must not include trainer (trainer/network/network.hpp)"});
}

TEST_CASE("architecture: reports know rows, and no database", "[architecture]") {
    PlantedTree tree;
    tree.plant("reports/figures/a.cpp", "#include \"storage/records/records.hpp\"\n");
    CHECK(tree.problems().empty());
    tree.plant("reports/figures/b.cpp", "#include \"storage/database/run_database.hpp\"\n");
    CHECK(tree.problems() ==
          std::vector<std::string>{"reports/figures/b.cpp:1: reports must not include storage "
                                   "(storage/database/run_database.hpp)"});
}

TEST_CASE("architecture: inside a room arrows run down only", "[architecture]") {
    PlantedTree tree;
    tree.plant("trainer/kernels/a.cpp", "#include \"trainer/layers/layer.hpp\"\n");
    tree.plant("trainer/layers/b.cpp", "#include \"trainer/kernels/layout.hpp\"\n");
    tree.plant("trainer/layers/c.cpp", "#include \"trainer/train.hpp\"\n");
    tree.plant("trainer/train.cpp", "#include \"trainer/layers/layer.hpp\"\n");
    tree.plant("pipeline/progress/d.cpp", "#include \"pipeline/verbs/run.hpp\"\n");
    tree.plant("pipeline/misc/e.cpp", "#include \"pipeline/settings/words.hpp\"\n");
    CHECK(tree.problems() ==
          std::vector<std::string>{
              "pipeline/misc/e.cpp:1: pipeline/misc has no place among the folders of its room "
              "(tests/architecture/includes.cpp)",
              "pipeline/progress/d.cpp:1: pipeline/progress must not include pipeline/verbs, which "
              "stands above it (pipeline/verbs/run.hpp)",
              "trainer/kernels/a.cpp:1: trainer/kernels must not include trainer/layers, which "
              "stands above it (trainer/layers/layer.hpp)",
              "trainer/layers/c.cpp:1: trainer/layers must not include trainer, which stands above "
              "it (trainer/train.hpp)"});
}

TEST_CASE("architecture: each library has its place", "[architecture]") {
    struct Case {
        std::string header, forbidden_in, allowed_in;
    };
    const std::vector<Case> cases{
        {"<oneapi/dnnl/dnnl.hpp>", "trainer/network/network.cpp",
         "trainer/kernels/convolution.cpp"},
        {"<dnnl.hpp>", "pipeline/verbs/run.cpp", "trainer/kernels/convolution.hpp"},
        {"<mpi.h>", "storage/rows.cpp", "trainer/exchange/communicator.cpp"},
        {"<toml++/toml.h>", "pipeline/planning/plan.cpp", "pipeline/settings/toml_text.cpp"},
        {"<CLI/CLI.hpp>", "pipeline/main.cpp", "pipeline/command_line/command_line.cpp"},
        {"<SQLiteCpp/Database.h>", "reports/table.cpp", "storage/database/run_database.cpp"},
        {"<sqlite3.h>", "pipeline/recording/run_recorder.cpp", "storage/database/run_database.cpp"},
        {"<hdf5.h>", "pipeline/recording/run_recorder.cpp", "storage/weights/hdf5.cpp"},
        {"<catch2/catch.hpp>", "tests/trainer/random_test.cpp", "tests/support/catch.hpp"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.header);
        PlantedTree forbidden;
        forbidden.plant(each.forbidden_in, "#include " + each.header + "\n");
        CHECK(forbidden.problems().size() == 1);
        PlantedTree allowed;
        allowed.plant(each.allowed_in, "#include " + each.header + "\n");
        CHECK(allowed.problems().empty());
    }
}

TEST_CASE("architecture: what is no include line is not judged", "[architecture]") {
    PlantedTree tree;
    tree.plant("storage/rows.cpp",
               "// #include \"trainer/network/network.hpp\"\n#define INCLUDE\n#include "
               "HEADER\n#include\n");
    tree.plant("storage/notes.md", "#include \"trainer/network/network.hpp\"\n");
    CHECK(tree.problems().empty());
}

TEST_CASE("architecture: a cycle is found wherever it is entered", "[architecture]") {
    CHECK(find_cycle({{"a", "b"}, {"b", "c"}, {"a", "c"}}).empty());
    CHECK(find_cycle({{"a", "b"}, {"b", "c"}, {"c", "b"}}) ==
          std::vector<std::string>{"b", "c", "b"});
}

}  // namespace
}  // namespace lockstep::tests
