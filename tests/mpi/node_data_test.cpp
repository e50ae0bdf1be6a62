// One data set for the ranks of a node: what each rank sees is what it would have loaded itself,
// and what goes wrong goes wrong on all.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/training/run_data.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/data/node_dataset.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using namespace lockstep::pipeline;
using lockstep::tests::TemporaryDirectory;

constexpr std::array kFiles = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                               "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

// Records whose pixels count up, from another number in each file; more than are read at once.
void write_batches(const fs::path& folder, int first, int records) {
    fs::create_directories(folder);
    for (const char* name : kFiles) {
        std::string bytes;
        for (int record = 0; record < records; ++record) {
            bytes += static_cast<char>(record % 10);
            for (int i = 0; i < 3072; ++i) bytes += static_cast<char>((first + record + i) % 251);
        }
        std::ofstream(folder / name, std::ios::binary) << bytes;
        first += 7;
    }
}

// Rank 0's folder, with files in `good`, others in `other`, and a damaged one in `damaged`.
class Folders {
public:
    explicit Folders(const Communicator& world) : world_(world) {
        if (world.is_root()) {
            own_.emplace();
            write_batches(*own_ / "good", 0, 129);
            write_batches(*own_ / "other", 1, 129);
            write_batches(*own_ / "damaged", 0, 129);
            std::ofstream(*own_ / "damaged" / kFiles[3], std::ios::app) << "x";
        }
        path_ = world.broadcast_text(world.is_root() ? own_->path().string() : "");
    }
    ~Folders() { world_.barrier(); }

    DataConfig config(const std::string& name) const {
        DataConfig config;
        config.path = path_ / name;
        return config;
    }

private:
    const Communicator& world_;
    std::optional<TemporaryDirectory> own_;
    fs::path path_;
};

DataConfig synthetic_config() {
    DataConfig config;
    config.dataset = "synthetic";
    config.settings["training_samples"] = std::int64_t{203};
    config.settings["test_samples"] = std::int64_t{1};
    return config;
}

bool are_equal(const ImageSet& a, const ImageSet& b) {
    return a.labels == b.labels && std::ranges::equal(a.pixels, b.pixels);
}

void check_equal(const Dataset& seen, const Dataset& own) {
    CHECK(seen.name == own.name);
    CHECK(seen.shape == own.shape);
    CHECK(seen.class_names == own.class_names);
    CHECK(seen.digest == own.digest);
    CHECK(are_equal(seen.training, own.training));
    CHECK(are_equal(seen.test, own.test));
}

std::string file_of(const PixelArray& pixels) {
    const MemoryFile::Address address = pixels.address();
    return std::to_string(address.device) + " " + std::to_string(address.inode);
}

// Whether this rank is the last one of those that read for their nodes.
bool is_last_reader(const Communicator& world) {
    const auto readers = world.gather_texts(world.split_by_node().is_root() ? "reads" : "");
    const auto last = std::find(readers.rbegin(), readers.rend(), "reads");
    return readers.rend() - last - 1 == world.rank();
}

// What every rank is told; "" for a success.
std::string failure_of_loading(const DataConfig& config, const Communicator& world,
                               int& exit_code) {
    try {
        load_on_nodes(config, world);
    } catch (const AgreedFailure& failure) {
        exit_code = failure.exit_code();
        return failure.what();
    }
    return "";
}

bool is_same_on_all(const Communicator& world, const std::string& text) {
    const auto texts = world.gather_texts(text);
    return std::ranges::all_of(texts, [&](const std::string& other) { return other == text; });
}

// No file of this process may grow: there are none in memory either.
class NoFiles {
public:
    NoFiles() {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
    }
    ~NoFiles() { setrlimit(RLIMIT_FSIZE, &before_); }
    NoFiles(const NoFiles&) = delete;
    NoFiles& operator=(const NoFiles&) = delete;

private:
    rlimit before_{};
};

}  // namespace

TEST_CASE("every rank sees the data it would have loaded", "[pipeline][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const Folders folders(world);
    for (const DataConfig& config : {folders.config("good"), synthetic_config()})
        check_equal(*load_on_nodes(config, world), *load_dataset(config));
}

TEST_CASE("the ranks of a node see the same memory", "[pipeline][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const Communicator node = world.split_by_node();
    const auto dataset = load_on_nodes(synthetic_config(), world);
    CHECK(is_same_on_all(node, file_of(dataset->training.pixels)));
    CHECK(is_same_on_all(node, file_of(dataset->test.pixels)));
    CHECK(file_of(dataset->training.pixels) != file_of(dataset->test.pixels));
}

TEST_CASE("the data outlive the rank's data set that was loaded", "[pipeline][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    auto dataset = load_on_nodes(synthetic_config(), world);
    const auto own = load_dataset(synthetic_config());
    if (world.split_by_node().is_root()) dataset.reset();
    world.barrier();
    if (dataset != nullptr) check_equal(*dataset, *own);
}

TEST_CASE("ranks that cannot share memory each have their own", "[pipeline][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const auto own = load_dataset(synthetic_config());
    std::shared_ptr<const Dataset> dataset;
    {
        const NoFiles no_files;
        dataset = load_on_nodes(synthetic_config(), world);
    }
    CHECK(dataset->training.pixels.address().descriptor == -1);
    CHECK(dataset->test.pixels.address().descriptor == -1);
    check_equal(*dataset, *own);
}

TEST_CASE("what one reader cannot read fails on every rank with its words", "[pipeline][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const Folders folders(world);
    const auto check = [&](const std::string& folder, int expected, const std::string& words) {
        const DataConfig config = folders.config(is_last_reader(world) ? folder : "good");
        int exit_code = 0;
        const std::string told = failure_of_loading(config, world, exit_code);
        CHECK(exit_code == expected);
        CHECK(told.find(words) != std::string::npos);
        CHECK(is_same_on_all(world, told));
    };
    check("nowhere", kExitMissingInput, "there is no such folder");
    check("damaged", kExitBadData, "data_batch_4.bin: 396,418 bytes, expected n x 3,073");
}

TEST_CASE("nodes that read other data are told so", "[pipeline][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const Folders folders(world);
    const bool is_alone = world.split_by_node().size() == world.size();
    int exit_code = 0;
    const DataConfig config = folders.config(is_last_reader(world) ? "other" : "good");
    const std::string told = failure_of_loading(config, world, exit_code);
    CHECK(exit_code == (is_alone ? kExitSuccess : kExitBadData));
    CHECK((told.find("reads other data") != std::string::npos) == !is_alone);
    CHECK(is_same_on_all(world, told));
}
