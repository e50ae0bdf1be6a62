// Changed weights files and databases: read, or refused as StorageError, never a crash.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <span>
#include <stdexcept>
#include <string>

#include "storage/database/database_check.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "storage/weights/child_reading.hpp"
#include "storage/weights/weights_file.hpp"
#include "tests/storage/old_database.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mutations.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using tests::Readings;

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

// A text that claims to be gigabytes long may find no memory, which is told too (71).
void parse(const std::string& text, const auto& parser) {
    try {
        parser(bytes_of(text), "mutation");
    } catch (const std::bad_alloc&) {
        throw StorageError(StorageError::Kind::bad_data, "no memory");
    }
}

Readings read_weights_files(int count, std::uint64_t seed) {
    const StateGroup state{.values = {{"run", std::string("r-1")}, {"epoch", std::int64_t{2}}},
                           .arrays = {{"best", sample_weights()}, {"empty", {}}}};
    const Bytes file = model_file_bytes(sample_model(), sample_weights(), state);
    return tests::read_mutations<StorageError>(
        text_of(file), count, seed, [](const std::string& text) { parse(text, parse_model_file); });
}

Readings read_keras_files(int count, std::uint64_t seed) {
    const Bytes file = read_file(std::string(LOCKSTEP_GOLDEN_KERAS) + "/keras3.h5");
    return tests::read_mutations<StorageError>(
        text_of(file), count, seed, [](const std::string& text) { parse(text, parse_model_file); });
}

Readings read_checkpoints(int count, std::uint64_t seed) {
    return tests::read_mutations<StorageError>(
        text_of(checkpoint_bytes(sample_model(), sample_state())), count, seed,
        [](const std::string& text) { parse(text, parse_checkpoint); });
}

void read_everything(const RunDatabase& database) {
    database.runs_table();
    for (const RunRow& run : database.runs()) {
        database.run_details(run.run);
        database.steps(run.run);
        database.epochs_table(run.run);
    }
    database.run_query("SELECT * FROM v_best");
    database.run_query("SELECT * FROM v_settings");
}

// Looked over, read, mended and opened for writing, each on the same changed file.
Readings read_databases(int count, std::uint64_t seed) {
    const tests::TemporaryDirectory folder;
    fill_database(folder / "original.db");
    const fs::path path = folder / "lockstep.db";
    const fs::path aside = folder / "aside.db";
    const auto attempt = [](const auto& work) {
        try {
            work();
        } catch (const StorageError&) {
        }
    };
    return tests::read_mutations<StorageError>(
        text_of(read_file(folder / "original.db")), count, seed, [&](const std::string& text) {
            replace_file(path, text);
            attempt([&] { check_database(path); });
            attempt([&] { RunDatabase(path, DatabaseAccess::read_write).running_runs(); });
            attempt([&] { rebuild_database(path, aside); });
            fs::remove(aside);
            replace_file(path, text);
            read_everything(RunDatabase(path, DatabaseAccess::read_only));
        });
}

void check(const Readings& readings, int given) {
    CHECK(readings.given == given);
    CHECK(readings.taken < given);  // the changes were some
}

}  // namespace

TEST_CASE("mutations: a reader that ends its process is refused, in words", "[storage]") {
    const auto ends = [](const auto& end) {
        const StorageError error = thrown_by([&] {
            read_in_child("a.h5", 0, [&] {
                end();
                return Bytes();
            });
        });
        return error.kind() == StorageError::Kind::bad_data && mentions(error, "a.h5: damaged");
    };
    CHECK(ends([] { std::raise(SIGSEGV); }));
    CHECK(ends([] { std::abort(); }));
    CHECK(ends([] { std::_Exit(0); }));
    CHECK(ends([] { throw std::length_error("odd"); }));
}

TEST_CASE("mutations: what a reader tells comes back", "[storage]") {
    const Bytes large(1'000'003, std::byte{7});
    CHECK(read_in_child("a.h5", 0, [&] { return Bytes(large); }) == large);
    CHECK(read_in_child("a.h5", 0, [] { return Bytes(); }) == Bytes());
    const StorageError refusal = thrown_by([] {
        read_in_child("a.h5", 0, []() -> Bytes {
            throw StorageError(StorageError::Kind::missing, "words of its own");
        });
    });
    CHECK(refusal.kind() == StorageError::Kind::missing);
    CHECK(refusal.what() == std::string("words of its own"));
    CHECK_THROWS_AS(read_in_child("a.h5", 0, []() -> Bytes { throw std::bad_alloc(); }),
                    std::bad_alloc);
#if !defined(__SANITIZE_ADDRESS__)  // whose operator new ends the process instead
    // Memory is not taken without end.
    CHECK_THROWS_AS(
        read_in_child("a.h5", 0, [] { return Bytes(Bytes(std::size_t{3} << 30).size() / 8); }),
        std::bad_alloc);
#endif
}

TEST_CASE("mutations: weights files", "[storage]") {
    check(read_weights_files(150, 1), 150);
    check(read_keras_files(200, 2), 200);
    check(read_checkpoints(100, 3), 100);
}

TEST_CASE("mutations: databases", "[storage]") { check(read_databases(60, 4), 60); }

TEST_CASE("mutations: twenty thousand weights files and five thousand databases",
          "[.slow][storage]") {
    check(read_weights_files(10000, 11), 10000);
    check(read_keras_files(5000, 12), 5000);
    check(read_checkpoints(5000, 13), 5000);
    check(read_databases(5000, 14), 5000);
}

}  // namespace lockstep::storage
