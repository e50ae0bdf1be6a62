// Bad input is refused with its exit code and in words, before the first step, and harms nothing
// that is stored.

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

// smoke.toml with one text in the place of another.
std::string smoke_with(const std::string& text, const std::string& replacement) {
    std::string smoke = read_text(smoke_file());
    const std::size_t place = smoke.find(text);
    REQUIRE(place != std::string::npos);
    return smoke.replace(place, text.size(), replacement);
}

std::size_t lines_with(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++count;
    }
    return count;
}

// A store with finished runs that must stay as they are.
class Store {
public:
    Store() {
        const Result result = lockstep({"run", smoke_file(), "--store", path().string(), "--only",
                                        "three-classes", "--only", "logits", "--ranks", "1"});
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
        before_ = content();
    }
    fs::path path() const { return folder_ / "store"; }
    fs::path file(const std::string& name) const { return folder_ / name; }

    // Refused with this code and these words, told once, and nothing is changed.
    void check_refused(const std::vector<std::string>& arguments, int exit_code,
                       const std::vector<std::string>& words) const {
        check_refused(lockstep_command(arguments), arguments, exit_code, words);
    }
    void check_refused_by_ranks(const std::vector<std::string>& arguments, int exit_code,
                                const std::vector<std::string>& words) const {
        check_refused(mpirun_command(2, arguments), arguments, exit_code, words);
    }
    std::vector<std::string> run(const std::string& toml,
                                 std::vector<std::string> more = {}) const {
        write_text(file("bad.toml"), toml);
        more.insert(more.begin(), {"run", file("bad.toml").string(), "--store", path().string()});
        return more;
    }

private:
    void check_refused(const std::vector<std::string>& command,
                       const std::vector<std::string>& arguments, int exit_code,
                       const std::vector<std::string>& words) const {
        INFO(arguments.front() << " ... " << arguments.back());
        Process process(command);
        CHECK(process.wait() == exit_code);
        const std::string errors = process.errors();
        for (const std::string& word : words) {
            INFO(word << " in: " << errors);
            CHECK(lines_with(errors, word) == 1);
        }
        CHECK(errors.find("lockstep: ") != std::string::npos);
        CHECK(content() == before_);
    }
    std::string content() const {
        std::string text = read_text(run_folder(path(), "three-classes") / "final.h5") +
                           read_text(run_folder(path(), "logits-seed1") / "checkpoint.h5");
        for (const char* table : {"runs", "attempts", "epochs", "metrics", "artifacts"}) {
            text += lockstep({"query",
                              std::string("select * from ") + table +
                                  " where run like 'three-classes-%' or run like 'logits-%'",
                              "--store", path().string(), "--format", "csv"})
                        .output;
        }
        return text;
    }

    TemporaryDirectory folder_;
    std::string before_;
};

const Store& shared_store() {
    static const Store store;
    return store;
}

TEST_CASE("The command line: 64, with what was meant", "[end_to_end]") {
    const auto refused = [](const std::vector<std::string>& arguments, const std::string& word) {
        const Result result = lockstep(arguments);
        INFO(result.errors);
        CHECK(result.exit_code == 64);
        CHECK(result.output.empty());
        CHECK(result.errors.find(word) != std::string::npos);
    };
    refused({}, "--help");
    refused({"rnu"}, "did you mean \"run\"");
    refused({"run", smoke_file(), "--rank", "2"}, "did you mean \"--ranks\"");
    refused({"run", smoke_file(), "--ranks", "0"}, "--ranks");
    refused({"run"}, "FILE");
    refused({"run", smoke_file(), "--only", "logit"}, "did you mean \"logits\"");
    refused({"ls", "--format", "yaml"}, "table|csv|json|md");
}

TEST_CASE("The experiment file: 78, or 66 where there is none", "[end_to_end]") {
    const Store& store = shared_store();
    store.check_refused({"run", "nowhere.toml", "--store", store.path().string()}, 66,
                        {"nowhere.toml"});
    store.check_refused(store.run("schema = 1\n[experiment\n"), 78, {"bad.toml:2:"});
    store.check_refused(store.run(smoke_with("batch_size = 16", "batchsize = 16")), 78,
                        {"bad.toml:18:", "did you mean \"batch_size\""});
    store.check_refused(store.run(smoke_with("epochs = 2", "epochs = \"2\"")), 78,
                        {"bad.toml:19:"});
    store.check_refused(store.run(smoke_with("\"logits\"", "\"../logits\"")), 78, {"../logits"});
    store.check_refused(store.run(smoke_with("\"bird\"]", "\"brid\"]")), 78,
                        {"did you mean \"bird\""});
    store.check_refused(store.run(smoke_with("kernel_size = 5", "kernel_size = 50")), 78,
                        {"bad.toml:56:", "50x50"});
    store.check_refused(store.run(read_text(smoke_file()), {"--set", "train.epoch=3"}), 78,
                        {"did you mean \"epochs\""});
    // Every one of several.
    std::string twice = smoke_with("batch_size = 16", "batchsize = 16");
    twice.replace(twice.find("epochs = 2"), 10, "epochs = 2.5");
    store.check_refused(store.run(twice), 78, {"bad.toml:18:", "bad.toml:19:"});

    std::string deep = "[a";
    for (int i = 0; i < 10'000; ++i) deep.append(".a");
    store.check_refused(store.run(deep.append("]\n")), 78, {"nested more than 32 levels deep"});
    store.check_refused(store.run(read_text(smoke_file()), {"--set", deep.erase(0, 1) + "=1"}), 78,
                        {"nested more than 32 levels deep"});
}

TEST_CASE("Under mpirun an error is told once, by one rank", "[end_to_end]") {
    const Store& store = shared_store();
    store.check_refused_by_ranks(store.run(smoke_with("batch_size = 16", "batchsize = 16")), 78,
                                 {"bad.toml:18:", "did you mean"});
    store.check_refused_by_ranks({"run", "nowhere.toml", "--store", store.path().string()}, 66,
                                 {"nowhere.toml"});
    store.check_refused_by_ranks({"rnu"}, 64, {"did you mean"});
}

TEST_CASE("More ranks than shards: 78, with what to do", "[end_to_end]") {
    const Store& store = shared_store();
    const auto arguments =
        store.run(read_text(smoke_file()), {"--set", "parallel.shards=2", "--ranks", "3"});
    store.check_refused(arguments, 78, {"2 shards", "3 ranks"});
}

TEST_CASE("Data files: 66 missing, 65 damaged", "[end_to_end]") {
    const Store& store = shared_store();
    const std::string cifar = smoke_with("dataset = \"synthetic\"\ntraining_samples = 203", "#");
    const std::string toml = cifar.substr(0, cifar.find("test_samples")) +
                             cifar.substr(cifar.find("validation = { first"));
    store.check_refused(store.run(toml, {"--data", store.file("none").string()}), 66,
                        {"data_batch_1.bin"});
    fs::create_directory(store.file("short"));
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                             "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
        write_text(store.file("short") / name, std::string(3072, '\0'));
    }
    store.check_refused(store.run(toml, {"--data", store.file("short").string()}), 65,
                        {"3,072 bytes", "3,073"});
}

TEST_CASE("Weights files: 65 of another network, 65 not HDF5, 66 missing", "[end_to_end]") {
    const Store& store = shared_store();
    const std::string weights = (run_folder(store.path(), "three-classes") / "final.h5").string();
    const auto start_with = [&](const std::string& path) {
        return store.run(read_text(smoke_file()),
                         {"--only", "batch-normalized", "--ranks", "2", "--set",
                          "train.initial_weights=\"" + path + "\""});
    };
    store.check_refused(start_with(weights), 65, {"\"conv2d\"", "(3, 3, 3, 8)", "(5, 5, 3, 4)"});
    write_text(store.file("picture.h5"), "\x89PNG\r\n\x1a\n");
    store.check_refused(start_with(store.file("picture.h5").string()), 65, {"picture.h5"});
    store.check_refused(start_with(store.file("none.h5").string()), 66, {"none.h5"});
}

TEST_CASE("The store: 66 missing, 73 cannot be made, 65 of another program, 77 not to be written",
          "[end_to_end]") {
    const Store& store = shared_store();
    const std::string path = store.path().string();
    store.check_refused({"ls", "--store", store.file("nowhere").string()}, 66, {"nowhere"});
    store.check_refused({"show", "no-such-run", "--store", path}, 66, {"no-such-run"});
    store.check_refused({"query", "delete from runs", "--store", path}, 77, {"lockstep: "});
    store.check_refused({"query", "selekt", "--store", path}, 64, {"selekt"});
    store.check_refused({"query", "select nothing from v_runs", "--store", path}, 64, {"nothing"});
    store.check_refused({"ls", "--where", "selekt 1", "--store", path}, 64, {"--where"});
    write_text(store.file("file"), "no folder");
    store.check_refused({"run", smoke_file(), "--store", store.file("file").string()}, 73,
                        {"file"});
    fs::create_directory(store.file("foreign"));
    write_text(store.file("foreign") / "lockstep.db", std::string(4096, 'x'));
    store.check_refused({"run", smoke_file(), "--store", store.file("foreign").string()}, 65,
                        {"lockstep.db"});
    CHECK(read_text(store.file("foreign") / "lockstep.db") == std::string(4096, 'x'));
    CHECK_FALSE(fs::exists(store.file("foreign") / "mpirun.log"));
}

TEST_CASE("mpirun missing, or unable to start ranks: 69, with its words", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::string binary = lockstep_command({}).front();
    const auto run_with_path = [&](const std::string& path) {
        Process process({"/bin/sh", "-c",
                         "PATH=\"$0\" exec \"$1\" run \"$2\" --ranks 2 --store \"$3\"", path,
                         binary, smoke_file(), (folder / "store").string()});
        CHECK(process.wait() == 69);
        return process.errors();
    };
    CHECK(run_with_path(folder.path().string()).find("lockstep: cannot start mpirun") !=
          std::string::npos);
    write_text(folder / "mpirun", "#!/bin/sh\necho not enough slots >&2\nexit 1\n");
    fs::permissions(folder / "mpirun", fs::perms::owner_all);
    CHECK(run_with_path(folder.path().string()).find("not enough slots") != std::string::npos);
}

// As Open MPI 5 tells a program that it cannot execute: its error -73.
TEST_CASE("A negative error of mpirun is no signal: 69", "[end_to_end]") {
    const TemporaryDirectory folder;
    write_text(folder / "mpirun", "#!/bin/sh\nexit 183\n");
    fs::permissions(folder / "mpirun", fs::perms::owner_all);
    Process process({"/bin/sh", "-c",
                     "PATH=\"$0:$PATH\" exec \"$1\" run \"$2\" --ranks 2 --max-restarts 0 --store "
                     "\"$3\"",
                     folder.path().string(), lockstep_command({}).front(), smoke_file(),
                     (folder / "store").string()});
    CHECK(process.wait() == 69);
    CHECK(process.errors().find("signal") == std::string::npos);
}

// A linear network so deep that its gradients overflow in a few steps, and one that learns.
constexpr const char* kDiverging = R"(schema = 1
[experiment]
name = "diverging"
[data]
dataset = "synthetic"
training_samples = 64
test_samples = 20
[train]
batch_size = 16
epochs = 2
[[run]]
name = "diverges"
data = { scale = "raw" }
train = { optimizer = { name = "sgd", learning_rate = 100.0 } }
layers = [
    { type = "flatten" }, { type = "dense", units = 16 }, { type = "dense", units = 16 },
    { type = "dense", units = 16 }, { type = "dense", units = 16 }, { type = "dense", units = 10 },
]
[[run]]
name = "learns"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
)";

TEST_CASE("A loss that is not finite: 1, with the results there are", "[end_to_end]") {
    const Store& store = shared_store();
    store.check_refused(store.run(kDiverging, {"--only", "diverges", "--ranks", "2"}), 1,
                        {"run diverges-", "step ", ": the output of dense",
                         " was the first that held a NaN or an infinity (on rank "});
    store.check_refused(store.run(kDiverging, {"--ranks", "1"}), 1,
                        {"lockstep: diverges: failed before"});
    store.check_refused(store.run(kDiverging, {"--retry-failed", "--ranks", "2"}), 1, {"step "});
    const Result states = lockstep({"query",
                                    "select name, state, attempts from v_runs where experiment = "
                                    "'diverging' order by name",
                                    "--store", store.path().string(), "--format", "csv"});
    CHECK(states.output == "name,state,attempts\ndiverges,failed,2\nlearns,finished,1\n");
}

TEST_CASE("Sizes are looked at before anything is read: 65", "[end_to_end]") {
    const Store& store = shared_store();
    const TemporaryDirectory folder;
    const auto sparse = [&](const std::string& name) {
        write_text(folder / name, "");
        fs::resize_file(folder / name, std::uintmax_t{3} << 40);
        return (folder / name).string();
    };
    store.check_refused({"validate", sparse("big.toml")}, 78,
                        {"big.toml: the file has 3298534883328 bytes"});
    store.check_refused({"predict", sparse("big.h5"), "--file", smoke_file(), "--run",
                         "three-classes", sparse("big.png")},
                        65, {"big.h5: it has 3298534883328"});
    store.check_refused(
        {"predict", "three-classes", sparse("big.png"), "--store", store.path().string()}, 65,
        {"big.png: 3,298,534,883,328 bytes; images of at most"});
}

}  // namespace
}  // namespace lockstep::tests
