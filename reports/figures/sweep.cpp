#include "reports/figures/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "reports/figures/design.hpp"
#include "reports/figures/run_settings.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using Runs = std::vector<RunFigures>;

constexpr std::string_view kLayers = "layers.";
constexpr double kGeometric = 8.0;

bool is_number(const Cell& cell) {
    return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

double number_of(const Cell& cell) {
    const auto* whole = std::get_if<std::int64_t>(&cell);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(cell);
}

// Nothing, then numbers, whole or not, by their size, then texts.
bool comes_before(const Cell& a, const Cell& b) {
    const auto kind = [](const Cell& cell) {
        return std::holds_alternative<std::monostate>(cell) ? 0 : is_number(cell) ? 1 : 2;
    };
    if (kind(a) != kind(b)) return kind(a) < kind(b);
    return kind(a) == 1 ? number_of(a) < number_of(b) : a < b;
}

// ---- the network as one setting ----------------------------------------------------------------

std::string layers_of(const std::vector<RunSetting>& settings) {
    std::string text;
    for (const RunSetting& each : settings) {
        if (each.key.starts_with(kLayers)) {
            text += each.key + '=' + settings_json({{"", each.value}}) + '\n';
        }
    }
    return text;
}

std::vector<std::string> words_of(const std::string& name) {
    std::vector<std::string> words;
    std::istringstream text(name);
    for (std::string word; std::getline(text, word, '-');) words.push_back(word);
    return words;
}

// The words that all names of runs with one network have: "vgg-bn" of "vgg-bn-batch_size32" and
// "vgg-bn-batch_size128".
std::string common_name(const std::set<std::string>& names) {
    std::vector<std::string> common = words_of(*names.begin());
    for (const std::string& name : names) {
        const std::vector<std::string> words = words_of(name);
        std::erase_if(common, [&](const std::string& word) {
            return std::ranges::find(words, word) == words.end();
        });
    }
    std::string text;
    for (const std::string& word : common) text += (text.empty() ? "" : "-") + word;
    return text;
}

// A name for each run's network. Empty where all runs have the same.
std::vector<Cell> networks_of(const Runs& runs,
                              const std::vector<std::vector<RunSetting>>& settings) {
    std::vector<std::string> layers;
    std::map<std::string, std::set<std::string>> names;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        layers.push_back(layers_of(settings[i]));
        names[layers.back()].insert(runs[i].design_name);
    }
    if (names.size() < 2) return {};
    std::map<std::string, std::string> label;
    std::map<std::string, int> uses;
    for (const auto& [text, of_network] : names) {
        ++uses[label[text] = common_name(of_network)];
    }
    std::vector<Cell> networks;
    for (const std::string& text : layers) {
        const std::string& common = label[text];
        const bool is_clear = !common.empty() && uses[common] == 1;
        networks.emplace_back(is_clear ? common : *names[text].begin());
    }
    return networks;
}

// ---- settings ----------------------------------------------------------------------------------

Cell value_of(const std::vector<RunSetting>& settings, const std::string& key) {
    const auto found = std::ranges::find(settings, key, &RunSetting::key);
    return found == settings.end() ? Cell() : found->value;
}

std::vector<SweptSetting> settings_of(const Runs& runs, std::span<const SettingName> keys) {
    std::vector<std::vector<RunSetting>> of_runs;
    for (const RunFigures& run : runs) of_runs.push_back(run_settings(run.run.effective_config));
    std::vector<SweptSetting> settings;
    const bool has_layers = std::ranges::any_of(
        keys, [](const SettingName& each) { return each.key.starts_with(kLayers); });
    if (!has_layers) {
        SweptSetting network{{kNetworkKey, "network"}};
        network.values = networks_of(runs, of_runs);
        if (!network.values.empty()) settings.push_back(std::move(network));
    }
    for (const SettingName& each : keys) {
        if (!changes_results(each.key)) continue;
        SweptSetting& setting = settings.emplace_back(SweptSetting{each});
        for (const auto& of_run : of_runs) setting.values.push_back(value_of(of_run, each.key));
    }
    return settings;
}

void add_levels(const std::vector<AnalysedRun>& runs, SweptSetting& setting) {
    for (const AnalysedRun& each : runs) setting.levels.push_back(setting.values[each.run]);
    std::ranges::sort(setting.levels, comes_before);
    const auto is_same = [](const Cell& a, const Cell& b) {
        return !comes_before(a, b) && !comes_before(b, a);
    };
    setting.levels.erase(std::unique(setting.levels.begin(), setting.levels.end(), is_same),
                         setting.levels.end());
    setting.factor.levels = setting.levels.size();
    for (const AnalysedRun& each : runs) {
        const auto at =
            std::ranges::lower_bound(setting.levels, setting.values[each.run], comes_before);
        setting.factor.level_of.push_back(static_cast<std::size_t>(at - setting.levels.begin()));
    }
    std::vector<double> numbers;
    std::size_t texts = 0;
    for (const Cell& level : setting.levels) {
        if (is_number(level)) numbers.push_back(number_of(level));
        texts += std::holds_alternative<std::string>(level) ? 1 : 0;
    }
    setting.is_numeric = texts == 0 && !numbers.empty();
    setting.is_geometric = setting.is_numeric && numbers.front() > 0.0 &&
                           numbers.back() >= kGeometric * numbers.front();
}

// Each value of `first` goes with one value of `second`.
bool determines(const Factor& first, const Factor& second) {
    std::map<std::size_t, std::size_t> with;
    for (std::size_t run = 0; run < first.level_of.size(); ++run) {
        const auto known = with.try_emplace(first.level_of[run], second.level_of[run]).first;
        if (known->second != second.level_of[run]) return false;
    }
    return true;
}

// The setting that `other` cannot be told from, if there is one.
SweptSetting* leader_of(std::vector<SweptSetting>& settings, const SweptSetting& other) {
    const auto leads = [&](const SweptSetting& setting) {
        return determines(setting.factor, other.factor) &&
               (setting.name.key == kNetworkKey || determines(other.factor, setting.factor));
    };
    const auto found = std::ranges::find_if(settings, leads);
    return found == settings.end() ? nullptr : &*found;
}

void sort_out(std::vector<SweptSetting> all, Sweep& sweep) {
    for (SweptSetting& setting : all) {
        add_levels(sweep.runs, setting);
        if (setting.levels.size() < 2) {
            sweep.others.push_back(std::move(setting));
        } else if (SweptSetting* leader = leader_of(sweep.settings, setting)) {
            leader->followers.push_back({setting.name, std::move(setting.values)});
        } else {
            sweep.settings.push_back(std::move(setting));
        }
    }
    std::ranges::stable_sort(sweep.settings, std::ranges::greater{}, [&](const auto& setting) {
        return share_between(level_means(setting.factor, sweep.accuracies), sweep.accuracies);
    });
}

// ---- runs --------------------------------------------------------------------------------------

void add_runs(const Runs& runs, const std::vector<ArchitectureFigures>& entries, Sweep& sweep) {
    if (entries.empty()) return;
    sweep.test_set = entries.front().test_set;
    for (std::size_t entry = 0; entry < entries.size(); ++entry) {
        for (const std::size_t run : entries[entry].runs) {
            const bool has_result = runs[run].is_finished() && runs[run].test_accuracy &&
                                    std::isfinite(*runs[run].test_accuracy);
            if (!has_result) {
                ++sweep.unfinished;
            } else if (entries[entry].test_set != sweep.test_set) {
                ++sweep.other_test_sets;
            } else {
                sweep.runs.push_back({run, entry});
            }
        }
    }
    std::ranges::sort(sweep.runs, {}, &AnalysedRun::run);
    for (const AnalysedRun& each : sweep.runs) {
        sweep.accuracies.push_back(*runs[each.run].test_accuracy);
    }
}

}  // namespace

Sweep sweep_of(const Runs& runs, const std::vector<ArchitectureFigures>& entries,
               std::span<const SettingName> keys) {
    Sweep sweep;
    add_runs(runs, entries, sweep);
    sort_out(settings_of(runs, keys), sweep);
    if (sweep.runs.empty()) return sweep;
    std::vector<Factor> factors;
    for (const SweptSetting& setting : sweep.settings) factors.push_back(setting.factor);
    sweep.effects = main_effects(factors, sweep.accuracies);
    return sweep;
}

bool tells_effects(const Sweep& sweep) {
    return sweep.effects && sweep.settings.size() > 1 &&
           (sweep.effects->seeds.degrees > 0 || sweep.effects->interactions.degrees > 0);
}

bool compares_networks(const Sweep& sweep) {
    const auto is_network = [](const SweptSetting& each) { return each.name.key == kNetworkKey; };
    if (sweep.settings.size() == 1) return is_network(sweep.settings.front());
    return sweep.settings.empty() && std::ranges::any_of(sweep.others, is_network);
}

std::vector<SettingPair> setting_pairs(const Sweep& sweep) {
    std::vector<SettingPair> pairs;
    for (std::size_t first = 0; first < sweep.settings.size(); ++first) {
        for (std::size_t second = first + 1; second < sweep.settings.size(); ++second) {
            const auto means = pair_means(sweep.settings[first].factor,
                                          sweep.settings[second].factor, sweep.accuracies);
            pairs.push_back({first, second, share_between(means, sweep.accuracies)});
        }
    }
    std::ranges::stable_sort(pairs, std::ranges::greater{}, &SettingPair::share);
    return pairs;
}

}  // namespace lockstep::reports
