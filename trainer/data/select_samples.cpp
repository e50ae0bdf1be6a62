#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "trainer/data/dataset.hpp"
#include "trainer/data/pixel_scale.hpp"
#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

namespace {

[[noreturn]] void throw_bad_request(const std::string& message) {
    throw DataError(DataError::Kind::bad_request, message);
}

// What the run calls each label of the data set; nothing for classes it does not use.
using NewLabels = std::vector<std::optional<Label>>;  // by the label of the data set

std::size_t label_of(const std::string& name, const Dataset& dataset) {
    const auto found = std::ranges::find(dataset.class_names, name);
    if (found == dataset.class_names.end())
        throw_bad_request(fmt::format("unknown class \"{}\"; the classes of {} are {}", name,
                                      dataset.name, fmt::join(dataset.class_names, ", ")));
    return static_cast<std::size_t>(found - dataset.class_names.begin());
}

NewLabels new_labels(const std::vector<std::string>& class_names, const Dataset& dataset) {
    NewLabels labels(dataset.class_names.size());
    for (std::size_t i = 0; i < class_names.size(); ++i) {
        std::optional<Label>& label = labels[label_of(class_names[i], dataset)];
        if (label) throw_bad_request(fmt::format("class \"{}\" is listed twice", class_names[i]));
        label = static_cast<Label>(i);
    }
    return labels;
}

SampleSet samples_of(const ImageSet& images, const NewLabels& labels) {
    SampleSet samples;
    samples.images = &images;
    for (std::size_t i = 0; i < images.labels.size(); ++i) {
        const std::optional<Label> label = labels[images.labels[i]];
        if (!label) continue;
        samples.indices.push_back(static_cast<std::uint32_t>(i));
        samples.labels.push_back(*label);
    }
    return samples;
}

// ---- validation ----------------------------------------------------------------------------

// Moves the samples that are marked out of `samples`; both keep their order.
SampleSet split_off(SampleSet& samples, const std::vector<bool>& is_marked) {
    SampleSet kept;
    SampleSet marked;
    kept.images = marked.images = samples.images;
    for (std::size_t i = 0; i < samples.indices.size(); ++i) {
        SampleSet& target = is_marked[i] ? marked : kept;
        target.indices.push_back(samples.indices[i]);
        target.labels.push_back(samples.labels[i]);
    }
    samples = std::move(kept);
    return marked;
}

SampleSet split_off_first(SampleSet& training, std::int64_t count) {
    if (count < 1 || count >= training.count())
        throw_bad_request(fmt::format(
            "validation on the first {} training samples: there are {}, and some must train", count,
            training.count()));
    std::vector<bool> is_first(training.indices.size());
    std::fill_n(is_first.begin(), count, true);
    return split_off(training, is_first);
}

SampleSet split_off_fraction(SampleSet& training, double fraction, std::uint64_t seed) {
    if (!(fraction > 0.0 && fraction < 1.0))
        throw_bad_request(fmt::format("validation fraction {} must be between 0 and 1", fraction));
    std::map<Label, std::vector<std::size_t>> members;  // by the data set's label
    for (std::size_t i = 0; i < training.indices.size(); ++i)
        members[training.images->labels[training.indices[i]]].push_back(i);
    const RandomKey key = random_key(seed, Purpose::validation_split);
    std::vector<bool> is_drawn(training.indices.size());
    for (auto& [label, samples] : members) {
        const auto size = static_cast<double>(samples.size());
        const auto count = static_cast<std::size_t>(std::floor(fraction * size + 0.5));
        // By the data set's label, so that a class gives the same samples whichever other classes
        // a run has.
        draw_to_front(samples, count, label, key);
        for (std::size_t i = 0; i < count; ++i) is_drawn[samples[i]] = true;
    }
    SampleSet validation = split_off(training, is_drawn);
    if (validation.indices.empty() || training.indices.empty())
        throw_bad_request(
            fmt::format("validation fraction {} leaves {} samples to train on and {} "
                        "to validate on; both need some",
                        fraction, training.count(), validation.count()));
    return validation;
}

void set_validation(RunData& data, const ValidationConfig& config, std::uint64_t seed) {
    if (std::holds_alternative<TestSetValidation>(config)) {
        data.validation = data.test;
        data.validates_on_test_set = true;
    } else if (const auto* first = std::get_if<FirstValidation>(&config)) {
        data.validation = split_off_first(data.training, first->count);
    } else if (const auto* part = std::get_if<FractionValidation>(&config)) {
        data.validation = split_off_fraction(data.training, part->fraction, seed);
    }
}

}  // namespace

RunData select_samples(std::shared_ptr<const Dataset> dataset, const DataConfig& config,
                       std::uint64_t seed) {
    RunData data;
    data.shape = dataset->shape;
    data.class_names = config.classes.empty() ? dataset->class_names : config.classes;
    const NewLabels labels = new_labels(data.class_names, *dataset);
    data.training = samples_of(dataset->training, labels);
    data.test = samples_of(dataset->test, labels);
    if (data.training.indices.empty() || data.test.indices.empty())
        throw_bad_request(
            fmt::format("{} has {} training and {} test samples of the classes {}; both need some",
                        dataset->name, data.training.count(), data.test.count(),
                        fmt::join(data.class_names, ", ")));
    set_validation(data, config.validation, seed);
    data.scale = pixel_scale(config.scale, data.training, data.shape);
    data.dataset = std::move(dataset);
    return data;
}

}  // namespace lockstep::trainer
