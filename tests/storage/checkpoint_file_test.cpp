#include "storage/weights/checkpoint_file.hpp"

#include <hdf5.h>
#include <sys/types.h>

#include <cmath>
#include <iterator>

#include "storage/files/sha256.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;

// Two checkpoints, of epochs 2 and 3, in a folder of their own.
struct TwoCheckpoints {
    TwoCheckpoints() {
        for (const int epoch : {2, 3}) {
            CheckpointState state = sample_state();
            state.epochs_finished = epoch;
            digests.insert(digests.begin(),
                           write_checkpoint(path, previous, sample_model(), state).sha256);
        }
    }
    std::optional<LoadedCheckpoint> load() const {
        return load_newest_good_checkpoint(path, previous, digests);
    }
    std::optional<LoadedCheckpoint> load_unchecked() const {
        return load_newest_good_checkpoint(path, previous, {});
    }

    tests::TemporaryDirectory folder;
    fs::path path = folder / "checkpoint.h5";
    fs::path previous = folder / "checkpoint.prev.h5";
    std::vector<std::string> digests;  // newest first
};

void flip_bit(const fs::path& path, std::size_t at) {
    Bytes bytes = read_file(path);
    bytes.at(at) ^= std::byte{4};
    replace_file(path, bytes);
}

std::ptrdiff_t entries_of(const fs::path& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

// Writes this many more checkpoints: files, descriptors and what
// libhdf5 holds open must be as many at the end as after the first two.
void check_no_growth(int checkpoints) {
    const tests::TemporaryDirectory folder;
    const fs::path path = folder / "checkpoint.h5";
    const fs::path previous = folder / "checkpoint.prev.h5";
    CheckpointState state = sample_state();
    const auto write = [&] {
        ++state.epochs_finished;
        return write_checkpoint(path, previous, sample_model(), state).sha256;
    };
    write();
    std::string sha256 = write();
    const std::ptrdiff_t descriptors = entries_of("/proc/self/fd");
    const ssize_t objects = H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL);
    for (int i = 0; i < checkpoints; ++i) {
        sha256 = write();
        if (i % 100 == 0) CHECK(load_newest_good_checkpoint(path, previous, {{sha256}}));
    }
    CHECK(entries_of(folder.path()) == 2);
    CHECK(entries_of("/proc/self/fd") == descriptors);
    CHECK(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) == objects);
    CHECK(read_checkpoint(path).epochs_finished == state.epochs_finished);
    CHECK(read_checkpoint(previous).epochs_finished == state.epochs_finished - 1);
}

}  // namespace

TEST_CASE("checkpoint: after two hundred nothing has grown", "[storage]") { check_no_growth(200); }

TEST_CASE("checkpoint: after five thousand nothing has grown", "[.slow][storage]") {
    check_no_growth(5000);
}

TEST_CASE("checkpoint: the state comes back exactly", "[storage]") {
    CheckpointState state = sample_state();
    CHECK(parse_checkpoint(checkpoint_bytes(sample_model(), state), "x") == state);
    state.early_stopping.reset();
    state.checkpoint = BestValue{};
    state.plateau.reset();
    state.early_stopping_weights.clear();
    state.checkpoint_weights.clear();
    state.slots = {{"momentum", {}}};  // an optimizer before its first step
    state.further.clear();
    state.stopped_early = false;
    state.so_far = {};  // between two epochs
    CHECK(parse_checkpoint(checkpoint_bytes(sample_model(), state), "x") == state);
    // And it is a model.h5 for everyone else.
    CHECK(parse_model_file(checkpoint_bytes(sample_model(), state), "x").weights == state.weights);
}

TEST_CASE("checkpoint: the same state gives the same bytes", "[storage]") {
    CHECK(checkpoint_bytes(sample_model(), sample_state()) ==
          checkpoint_bytes(sample_model(), sample_state()));
}

TEST_CASE("checkpoint: weights alone are no training state", "[storage]") {
    const Bytes bytes = model_file_bytes(sample_model(), sample_weights());
    CHECK(kind_thrown_by([&] { parse_checkpoint(bytes, "x"); }) == Kind::bad_data);
    const Bytes partial = model_file_bytes(sample_model(), sample_weights(), StateGroup{});
    const StorageError error = thrown_by([&] { parse_checkpoint(partial, "x"); });
    CHECK(mentions(error, "\"run\""));
}

TEST_CASE("checkpoint: a state with a value that is no number is damaged", "[storage]") {
    const auto refused = [](const CheckpointState& state) {
        const Bytes bytes = checkpoint_bytes(sample_model(), state);
        return thrown_by([&] { parse_checkpoint(bytes, "x"); });
    };
    for (const float bad : {std::nanf(""), HUGE_VALF}) {
        CheckpointState state = sample_state();
        state.weights[4].values[1] = bad;
        CHECK(refused(state).kind() == Kind::bad_data);
        CHECK(mentions(refused(state), "weights batch_normalization/moving_mean"));
        state = sample_state();
        state.slots["velocity"][0].values[0] = bad;
        CHECK(mentions(refused(state), "velocity conv2d/bias"));
        state = sample_state();
        state.early_stopping_weights[0].values[0] = bad;
        CHECK(mentions(refused(state), "best weights conv2d/kernel"));
        state = sample_state();
        state.checkpoint_weights[0].values[0] = bad;
        CHECK(mentions(refused(state), "best weights dense/bias"));
    }
}

TEST_CASE("checkpoint: the newest good one is loaded", "[storage]") {
    const TwoCheckpoints saved;
    const auto loaded = saved.load();
    REQUIRE(loaded.has_value());
    CHECK(loaded->state.epochs_finished == 3);
    CHECK_FALSE(loaded->is_previous);
    CHECK(loaded->warnings.empty());
    CHECK(loaded->sha256 == saved.digests[0]);
}

TEST_CASE("checkpoint: a damaged one gives way to the previous one", "[storage]") {
    const TwoCheckpoints saved;
    const std::size_t size = fs::file_size(saved.path);
    SECTION("cut to nothing") { fs::resize_file(saved.path, 0); }
    SECTION("cut to a byte") { fs::resize_file(saved.path, 1); }
    SECTION("cut to a signature") { fs::resize_file(saved.path, 8); }
    SECTION("cut to a superblock") { fs::resize_file(saved.path, 96); }
    SECTION("cut in half") { fs::resize_file(saved.path, size / 2); }
    SECTION("all but a byte") { fs::resize_file(saved.path, size - 1); }
    SECTION("a bit of the superblock") { flip_bit(saved.path, 20); }
    SECTION("a bit in the middle") { flip_bit(saved.path, size / 2); }
    SECTION("the last bit") { flip_bit(saved.path, size - 1); }
    SECTION("killed between the two renames") { fs::remove(saved.path); }
    const bool is_there = fs::exists(saved.path);
    const auto loaded = saved.load();
    REQUIRE(loaded.has_value());
    CHECK(loaded->state.epochs_finished == 2);
    CHECK(loaded->is_previous);
    CHECK(loaded->warnings.size() == (is_there ? 1 : 0));

    promote_previous_checkpoint(saved.path, saved.previous);
    CHECK(saved.load()->state.epochs_finished == 2);
    CHECK_FALSE(saved.load()->is_previous);
    CHECK_FALSE(fs::exists(saved.previous));
}

TEST_CASE("checkpoint: one that the database does not know is passed over", "[storage]") {
    TwoCheckpoints saved;
    saved.digests.erase(saved.digests.begin());  // killed before the epoch's transaction
    CHECK(saved.load()->state.epochs_finished == 2);
    CHECK(saved.load_unchecked()->state.epochs_finished == 3);  // nothing is known at all
}

TEST_CASE("checkpoint: none is no error where none is known; bad and lost ones are", "[storage]") {
    TwoCheckpoints saved;
    flip_bit(saved.path, fs::file_size(saved.path) / 2);
    fs::resize_file(saved.previous, 10);
    const StorageError error = thrown_by([&] { saved.load(); });
    CHECK(error.kind() == Kind::bad_data);
    CHECK(mentions(error, "checkpoint.h5"));
    CHECK(mentions(error, "checkpoint.prev.h5"));
    fs::remove(saved.path);
    fs::remove(saved.previous);
    CHECK(mentions(thrown_by([&] { saved.load(); }), "are gone"));
    saved.digests.clear();
    CHECK_FALSE(saved.load().has_value());
}

}  // namespace lockstep::storage
