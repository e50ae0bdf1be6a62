#include "trainer/data/cifar100.hpp"

#include "trainer/data/cifar_files.hpp"

namespace lockstep::trainer {

namespace {

constexpr const char* kFine = "fine";
constexpr const char* kCoarse = "coarse";

CifarFormat format_of(const DataConfig& config) {
    const bool is_fine = setting<std::string>(config, "label_mode") == kFine;
    return {.word = "cifar100",
            .title = "CIFAR-100",
            .training_files = {"train.bin"},
            .test_files = {"test.bin"},
            .folder = "cifar-100-binary",
            .label_bytes = 2,
            .label_place = is_fine ? std::size_t{1} : std::size_t{0},
            .names_file = is_fine ? "fine_label_names.txt" : "coarse_label_names.txt",
            .class_names = is_fine ? cifar100_fine_names() : cifar100_coarse_names(),
            .names_in_words = is_fine ? "CIFAR-100's hundred" : "CIFAR-100's twenty",
            .training_samples = 50'000,
            .test_samples = 10'000,
            .expected = "train.bin and test.bin",
            .source =
                "The official archive is "
                "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz "
                "(md5 03b5dce01913d631647c71ecec9e9cb8)"};
}

}  // namespace

std::vector<std::string> cifar100_fine_names() {
    return {
        "apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
        "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
        "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
        "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
        "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
        "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
        "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
        "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
        "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
        "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
        "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
        "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
        "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
        "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
        "table",       "tank",          "telephone", "television", "tiger",        "tractor",
        "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
        "willow_tree", "wolf",          "woman",     "worm"};
}

std::vector<std::string> cifar100_coarse_names() {
    return {"aquatic_mammals",
            "fish",
            "flowers",
            "food_containers",
            "fruit_and_vegetables",
            "household_electrical_devices",
            "household_furniture",
            "insects",
            "large_carnivores",
            "large_man-made_outdoor_things",
            "large_natural_outdoor_scenes",
            "large_omnivores_and_herbivores",
            "medium_mammals",
            "non-insect_invertebrates",
            "people",
            "reptiles",
            "small_mammals",
            "trees",
            "vehicles_1",
            "vehicles_2"};
}

DatasetKind cifar100_kind() {
    return {
        .word = "cifar100",
        .settings = {{"label_mode", WordSetting{{kFine, kCoarse}}}},
        .load = [](const DataConfig& config) { return read_cifar(format_of(config), config.path); },
        .require = [](const DataConfig& config) { require_cifar(format_of(config), config.path); },
        .traits =
            [](const DataConfig& config) { return cifar_traits(format_of(config), config.path); },
        .nominal_traits =
            [](const DataConfig& config) { return official_cifar_traits(format_of(config)); },
    };
}

}  // namespace lockstep::trainer
