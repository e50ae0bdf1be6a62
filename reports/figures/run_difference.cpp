#include "reports/figures/run_difference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

using Values = std::vector<ConfigValue>;

constexpr std::string_view kLayers = "layers.";
constexpr std::string_view kExpected = "expect.";

struct LayerText {
    std::string prefix;  // "layers.2."
    Values values;       // keys without the prefix

    // "layers.conv2d_1", as settings are known by.
    std::string key() const {
        std::string name(value_of(values, "name"));
        std::erase(name, '"');
        return std::string(kLayers) + name;
    }

    std::string content() const {  // all but the name, which counts layers
        std::string text;
        for (const ConfigValue& each : values) {
            if (each.key == "name") continue;
            text += (text.empty() ? "" : ", ") + each.key + " = " + each.value;
        }
        return text;
    }
};

std::vector<LayerText> layers_of(const Values& values) {
    std::vector<LayerText> layers;
    for (const ConfigValue& each : values) {
        if (!each.key.starts_with(kLayers)) continue;
        const std::size_t dot = each.key.find('.', kLayers.size());
        if (dot == std::string::npos) continue;
        const std::string prefix = each.key.substr(0, dot + 1);
        if (layers.empty() || layers.back().prefix != prefix) layers.push_back({prefix, {}});
        layers.back().values.push_back({each.key.substr(dot + 1), each.value, each.origin});
    }
    return layers;
}

// Differences of two lists of values; keys of either get `prefix` in front.
void add_differences(const Values& first, const Values& second, const std::string& prefix,
                     std::vector<SettingDifference>& differences) {
    for (const ConfigValue& each : first) {
        const std::string other(value_of(second, each.key));
        if (other != each.value) differences.push_back({prefix + each.key, each.value, other});
    }
    for (const ConfigValue& each : second) {
        const bool is_known = std::ranges::find(first, each.key, &ConfigValue::key) != first.end();
        if (!is_known) differences.push_back({prefix + each.key, "", each.value});
    }
}

// What trains, but for the layers: what the source printed does not.
Values plain_settings(Values values) {
    std::erase_if(values, [](const ConfigValue& each) {
        return each.key.starts_with(kLayers) || each.key.starts_with(kExpected);
    });
    return values;
}

Values without_name(Values values) {
    std::erase_if(values, [](const ConfigValue& each) { return each.key == "name"; });
    return values;
}

// lengths[i][j]: of the longest common subsequence of first[i..] and second[j..].
std::vector<std::vector<int>> common_lengths(const std::vector<LayerText>& first,
                                             const std::vector<LayerText>& second) {
    std::vector<std::vector<int>> lengths(first.size() + 1, std::vector<int>(second.size() + 1, 0));
    for (std::size_t i = first.size(); i-- > 0;) {
        for (std::size_t j = second.size(); j-- > 0;) {
            lengths[i][j] = first[i].content() == second[j].content()
                                ? lengths[i + 1][j + 1] + 1
                                : std::max(lengths[i + 1][j], lengths[i][j + 1]);
        }
    }
    return lengths;
}

// The layers between two common ones: pairs of one type differ in settings, others as a whole.
void add_gap(std::vector<const LayerText*>& first, std::vector<const LayerText*>& second,
             std::vector<SettingDifference>& differences) {
    std::size_t i = 0;
    std::size_t j = 0;
    const auto type_of = [](const LayerText& layer) { return value_of(layer.values, "type"); };
    while (i < first.size() || j < second.size()) {
        const bool are_both = i < first.size() && j < second.size();
        if (are_both && type_of(*first[i]) == type_of(*second[j])) {
            add_differences(without_name(first[i]->values), without_name(second[j]->values),
                            first[i]->key() + '.', differences);
            ++i;
            ++j;
            continue;
        }
        const bool is_first =
            j == second.size() || (are_both && first.size() - i > second.size() - j);
        const LayerText& layer = is_first ? *first[i++] : *second[j++];
        differences.push_back(
            {layer.key(), is_first ? layer.content() : "", is_first ? "" : layer.content()});
    }
    first.clear();
    second.clear();
}

void add_layer_differences(const std::vector<LayerText>& first,
                           const std::vector<LayerText>& second,
                           std::vector<SettingDifference>& differences) {
    const auto lengths = common_lengths(first, second);
    std::vector<const LayerText*> first_gap;
    std::vector<const LayerText*> second_gap;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < first.size() && j < second.size()) {
        if (first[i].content() == second[j].content()) {
            add_gap(first_gap, second_gap, differences);
            ++i;
            ++j;
        } else if (lengths[i + 1][j] >= lengths[i][j + 1]) {
            first_gap.push_back(&first[i++]);
        } else {
            second_gap.push_back(&second[j++]);
        }
    }
    while (i < first.size()) first_gap.push_back(&first[i++]);
    while (j < second.size()) second_gap.push_back(&second[j++]);
    add_gap(first_gap, second_gap, differences);
}

// A layer that only one run has, under a name that the other one's layer elsewhere has too: whose
// it is.
void tell_apart(const std::vector<LayerText>& first, const std::vector<LayerText>& second,
                std::vector<SettingDifference>& differences) {
    const auto has = [](const std::vector<LayerText>& layers, const std::string& key) {
        return std::ranges::find(layers, key, &LayerText::key) != layers.end();
    };
    for (SettingDifference& each : differences) {
        if (each.second.empty() && has(second, each.key)) {
            each.key += " (of first)";
        } else if (each.first.empty() && has(first, each.key)) {
            each.key += " (of second)";
        }
    }
}

// ---- figures ---------------------------------------------------------------------------------

enum class MeasuredOn { test_images, validation_images, training_images, schedule, clock };

struct Figure {
    const char* name;
    MeasuredOn on;
    std::optional<double> (*of)(const RunFigures& run);
};

// The same images, as far as settings and digests tell.
bool are_comparable(MeasuredOn on, const RunFigures& first, const RunFigures& second) {
    if (on == MeasuredOn::schedule || on == MeasuredOn::clock) return true;
    const auto validation = [](const RunFigures& run) {
        return value_of(run.config, "data.validation");
    };
    const bool is_one_source = first.test_set.dataset == second.test_set.dataset &&
                               first.test_set.data_digest == second.test_set.data_digest &&
                               first.test_set.classes == second.test_set.classes;
    if (on == MeasuredOn::test_images) return first.test_set == second.test_set;
    if (on == MeasuredOn::training_images) return is_one_source;
    return is_one_source && validation(first) == validation(second);
}

// Whether the run was chosen by figures of the images that this one is measured on.
bool is_flattered(MeasuredOn on, const RunFigures& run) {
    return on == MeasuredOn::test_images && run.run.selected_on_test_set;
}

template <class Number>
std::optional<double> positive(Number number) {
    return number > Number{} ? std::optional(static_cast<double>(number)) : std::nullopt;
}

constexpr std::array<Figure, 12> kFigures{{
    {"test_accuracy", MeasuredOn::test_images,
     [](const RunFigures& run) { return run.test_accuracy; }},
    {"test_top_5_accuracy", MeasuredOn::test_images,
     [](const RunFigures& run) { return run.test_top_5_accuracy; }},
    {"test_loss", MeasuredOn::test_images, [](const RunFigures& run) { return run.test_loss; }},
    {"best_val_accuracy", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_accuracy.best; }},
    {"val_accuracy", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_accuracy.final; }},
    {"best_val_loss", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_loss.best; }},
    {"val_loss", MeasuredOn::validation_images,
     [](const RunFigures& run) { return run.val_loss.final; }},
    {"accuracy", MeasuredOn::training_images,
     [](const RunFigures& run) { return run.accuracy.final; }},
    {"loss", MeasuredOn::training_images, [](const RunFigures& run) { return run.loss.final; }},
    {"epochs", MeasuredOn::schedule,
     [](const RunFigures& run) { return positive(run.epochs.size()); }},
    {"run_seconds", MeasuredOn::clock, [](const RunFigures& run) { return positive(run.seconds); }},
    {"images_per_second", MeasuredOn::clock,
     [](const RunFigures& run) { return positive(run.images_per_second); }},
}};

struct Spread {
    double squares = 0.0;  // sum of squared distances from the mean
    int degrees = 0;       // values - 1
};

Spread spread_of(const std::vector<RunFigures>& seeds, const Figure& figure) {
    std::vector<double> values;
    for (const RunFigures& run : seeds) {
        const auto value = figure.of(run);
        if (value) values.push_back(*value);
    }
    const Estimate estimate = estimate_of(values);
    if (!estimate.deviation) return {};
    const int degrees = estimate.count - 1;
    return {*estimate.deviation * *estimate.deviation * degrees, degrees};
}

// Of both designs together; none where no two seeds of a design differ.
Spread pooled(const Figure& figure, const std::vector<RunFigures>& first_seeds,
              const std::vector<RunFigures>& second_seeds) {
    const Spread first = spread_of(first_seeds, figure);
    const Spread second = spread_of(second_seeds, figure);
    return {first.squares + second.squares, first.degrees + second.degrees};
}

void test_figure(const Spread& spread, FigureDifference& figure) {
    if (spread.degrees == 0) return;
    const double deviation = std::sqrt(2.0 * spread.squares / spread.degrees);
    figure.seed_noise = student_t_quantile((1.0 + kConfidence) / 2.0, spread.degrees) * deviation;
    if (!figure.first || !figure.second || deviation == 0.0) return;
    const double t = std::abs(*figure.second - *figure.first) / deviation;
    if (!std::isfinite(t)) return;
    figure.p_value = 2.0 * student_t_probability(-t, spread.degrees);
}

Movement movement_of(const FigureDifference& figure) {
    if (!figure.first || !figure.second) return Movement::unknown;
    if (is_same_figure(*figure.first, *figure.second)) return Movement::none;
    if (!figure.adjusted_p_value) return Movement::unknown;
    return *figure.adjusted_p_value < kSignificance ? Movement::beyond : Movement::within;
}

}  // namespace

std::vector<SettingDifference> setting_differences(const Values& first, const Values& second) {
    std::vector<SettingDifference> differences;
    add_differences(plain_settings(first), plain_settings(second), "", differences);
    const std::vector<LayerText> of_first = layers_of(first), of_second = layers_of(second);
    add_layer_differences(of_first, of_second, differences);
    tell_apart(of_first, of_second, differences);
    return differences;
}

std::vector<FigureDifference> figure_differences(const RunFigures& first, const RunFigures& second,
                                                 const std::vector<RunFigures>& first_seeds,
                                                 const std::vector<RunFigures>& second_seeds) {
    // Seeds of one design are one sample, not two.
    static const std::vector<RunFigures> kNone;
    const auto& others = first.design == second.design ? kNone : second_seeds;
    std::vector<FigureDifference> differences;
    for (const Figure& figure : kFigures) {
        FigureDifference difference{figure.name, figure.of(first), figure.of(second)};
        if (!difference.first && !difference.second) continue;
        difference.is_first_selected = is_flattered(figure.on, first);
        difference.is_second_selected = is_flattered(figure.on, second);
        if (figure.on == MeasuredOn::clock) {
            difference.movement = Movement::not_tested;
        } else if (are_comparable(figure.on, first, second)) {
            test_figure(pooled(figure, first_seeds, others), difference);
        } else {
            difference.movement = Movement::not_comparable;
        }
        differences.push_back(std::move(difference));
    }
    correct_for_many(differences);
    for (FigureDifference& each : differences) {
        const bool is_equal =
            each.first && each.second && is_same_figure(*each.first, *each.second);
        if (each.movement == Movement::not_tested && is_equal) each.movement = Movement::none;
        if (each.movement == Movement::unknown) each.movement = movement_of(each);
    }
    return differences;
}

std::string_view to_string(Movement movement) {
    switch (movement) {
        case Movement::none:
            return "equal";
        case Movement::within:
            return "within seed noise";
        case Movement::beyond:
            return "beyond seed noise";
        case Movement::not_comparable:
            return "not comparable: other images";
        case Movement::not_tested:
            return "not tested: the machine's";
        case Movement::unknown:
            break;
    }
    return "unknown";
}

}  // namespace lockstep::reports
