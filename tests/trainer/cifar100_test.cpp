#include "trainer/data/cifar100.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/trainer/refusal.hpp"
#include "trainer/data/dataset.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using lockstep::tests::Refusal;
using lockstep::tests::refusal_of;
using lockstep::tests::TemporaryDirectory;

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

// Coarse label, fine label, pixels that are all `pixel`.
std::string record(int coarse, int fine, char pixel) {
    return std::string{static_cast<char>(coarse), static_cast<char>(fine)} +
           std::string(3072, pixel);
}

void write_small_set(const fs::path& folder) {
    fs::create_directories(folder);
    write_file(folder / "train.bin", record(11, 19, 'a') + record(0, 99, 'b'));
    write_file(folder / "test.bin", record(19, 0, 'c'));
}

DataConfig config_of(const fs::path& path, const std::string& mode = "") {
    DataConfig config;
    config.dataset = "cifar100";
    config.path = path;
    if (!mode.empty()) config.settings["label_mode"] = mode;
    return config;
}

}  // namespace

TEST_CASE("CIFAR-100: the coarse label stands before the fine one", "[cifar100]") {
    const TemporaryDirectory folder;
    write_small_set(folder / "cifar-100-binary");
    const auto fine = load_dataset(config_of(folder.path()));
    CHECK(fine->training.labels == std::vector<Label>{19, 99});
    CHECK(fine->test.labels == std::vector<Label>{0});
    CHECK(fine->training.pixels[0] == 'a');
    CHECK(fine->training.pixels[3072] == 'b');
    CHECK(fine->class_names[19] == "cattle");
    const auto coarse = load_dataset(config_of(folder.path(), "coarse"));
    CHECK(coarse->training.labels == std::vector<Label>{11, 0});
    CHECK(coarse->test.labels == std::vector<Label>{19});
    CHECK(coarse->class_names[11] == "large_omnivores_and_herbivores");
    CHECK(std::ranges::equal(coarse->training.pixels, fine->training.pixels));
    CHECK(coarse->digest != fine->digest);
    CHECK(dataset_key(config_of(folder.path(), "coarse")) != dataset_key(config_of(folder.path())));
}

TEST_CASE("CIFAR-100: a hundred names and twenty, in order", "[cifar100]") {
    for (const auto& [names, count] :
         {std::pair(cifar100_fine_names(), 100), std::pair(cifar100_coarse_names(), 20)}) {
        CHECK(std::set(names.begin(), names.end()).size() == static_cast<std::size_t>(count));
        CHECK(std::ranges::is_sorted(names));
        CHECK(names.size() == static_cast<std::size_t>(count));
    }
    const TemporaryDirectory folder;
    CHECK(dataset_traits(config_of(folder.path())).class_names == cifar100_fine_names());
    CHECK(nominal_traits(config_of(folder.path(), "coarse")).class_names ==
          cifar100_coarse_names());
    write_small_set(folder.path());
    write_file(folder / "coarse_label_names.txt", "a\nb\n");
    CHECK(dataset_traits(config_of(folder.path(), "coarse")).class_names ==
          std::vector<std::string>{"a", "b"});
    CHECK(refusal_of(config_of(folder.path(), "coarse"))
              .says("record 0 (from 0) has label 11 at byte 0, expected 0..1"));
    CHECK(load_dataset(config_of(folder.path()))->class_names == cifar100_fine_names());
}

TEST_CASE("CIFAR-100: damaged files are refused", "[cifar100]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    write_file(folder / "test.bin", record(1, 1, 'x').substr(1));
    CHECK(refusal_of(config_of(folder.path())).says("test.bin: 3,073 bytes, expected n x 3,074"));
    write_file(folder / "test.bin", record(1, 1, 'x') + record(1, 100, 'x'));
    CHECK(refusal_of(config_of(folder.path()))
              .says("record 1 (from 0) has label 100 at byte 3075, expected 0..99"));
    CHECK(load_dataset(config_of(folder.path(), "coarse"))->test.count() == 2);
    fs::remove(folder / "test.bin");
    const Refusal missing = refusal_of(config_of(folder.path()));
    CHECK(missing.says("CIFAR-100 in "));
    CHECK(missing.says("test.bin missing; expected train.bin and test.bin"));
    CHECK(missing.says("md5 03b5dce01913d631647c71ecec9e9cb8"));
}
