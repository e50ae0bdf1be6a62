// [train] class_weights (train_tables.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/experiment/train_tables.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kKey = "class_weights";
constexpr RealRange kWeights{0.0, 1e6, true, true, Precision::float64};

// Classes by their names, and by their numbers as far as no class is called so.
class WeightReader {
public:
    WeightReader(const Table& table, TableReader& train, const std::vector<std::string>& names)
        : names_(names),
          numbers_(numbers_beside(names)),
          keys_(keys_of(names, numbers_)),
          reader_(table, train.key_prefix() + std::string(kKey) + '.', {"class_weights", keys_},
                  train.context()) {}

    // 1 where nothing is said, as in Keras.
    double weight(std::size_t label) {
        const std::string& name = names_[label];
        const std::string& number = numbers_[label];
        const bool is_numbered = !number.empty() && reader_.has(number);
        if (is_numbered && reader_.has(name))
            reader_.problem(*reader_.find(number), fmt::format("class {} has a weight by its name, "
                                                               "too",
                                                               quoted_text(name)));
        return reader_.real(is_numbered ? number : name, kWeights).value_or(1.0);
    }

private:
    static std::vector<std::string> numbers_beside(const std::vector<std::string>& names) {
        std::vector<std::string> numbers;
        for (std::size_t label = 0; label < names.size(); ++label) {
            std::string number = std::to_string(label);
            const bool is_name = std::ranges::find(names, number) != names.end();
            numbers.push_back(is_name ? std::string() : std::move(number));
        }
        return numbers;
    }
    static std::vector<std::string_view> keys_of(const std::vector<std::string>& names,
                                                 const std::vector<std::string>& numbers) {
        std::vector<std::string_view> keys(names.begin(), names.end());
        for (const std::string& number : numbers)
            if (!number.empty()) keys.push_back(number);
        return keys;
    }

    const std::vector<std::string>& names_;
    std::vector<std::string> numbers_;  // by label; "" of one that is another class' name
    std::vector<std::string_view> keys_;
    TableReader reader_;
};

}  // namespace

trainer::ClassWeightConfig read_class_weights(TableReader& train,
                                              const std::vector<std::string>& class_names) {
    const Value* value = train.find(kKey);
    if (!value || value->as<Unusable>()) return trainer::EqualClasses{};
    const auto* word = value->as<std::string>();
    if (word && *word == "none") return trainer::EqualClasses{};
    if (word && *word == "balanced") return trainer::BalancedClasses{};
    const Table* table = value->as<Table>();
    if (!table) {
        train.must_be(kKey, *value, "\"none\", \"balanced\" or a table of weights by class");
        return trainer::EqualClasses{};
    }
    WeightReader reader(*table, train, class_names);
    trainer::ClassWeights config;
    for (std::size_t label = 0; label < class_names.size(); ++label)
        config.weights.push_back(reader.weight(label));
    const auto all_are = [&](double weight) {
        return std::ranges::all_of(config.weights, [=](double each) { return each == weight; });
    };
    if (all_are(1.0)) return trainer::EqualClasses{};
    if (all_are(0.0)) train.problem(*value, "class weights that are all 0 leave nothing to learn");
    return config;
}

}  // namespace lockstep::pipeline
