#include "pipeline/experiment/augmentation_section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include "pipeline/settings/named_keys.hpp"

namespace lockstep::pipeline {
namespace {

using trainer::FactorRange;
using trainer::FillMode;
using trainer::FlipMode;

constexpr std::size_t kMostChanges = 32;
constexpr int kMostPixels = 1024;

// In the order of AugmentationConfig.
constexpr std::array<NamedKeys, 9> kTypes{{{"random_flip", KeyGroup::random_flip},
                                           {"random_crop", KeyGroup::random_crop},
                                           {"random_translation", KeyGroup::random_translation},
                                           {"random_rotation", KeyGroup::random_rotation},
                                           {"random_zoom", KeyGroup::random_zoom},
                                           {"random_brightness", KeyGroup::random_brightness},
                                           {"random_contrast", KeyGroup::random_contrast},
                                           {"cutout", KeyGroup::cutout},
                                           {"mixup", KeyGroup::mixup}}};

constexpr std::array<Word<FlipMode>, 4> kFlipModes{{
    {"horizontal", FlipMode::horizontal},
    {"vertical", FlipMode::vertical},
    {"horizontal_and_vertical", FlipMode::horizontal_and_vertical},
    {"alternating", FlipMode::alternating},
}};
constexpr std::array<Word<FillMode>, 5> kFillModes{{
    {"constant", FillMode::constant},
    {"nearest", FillMode::nearest},
    {"reflect", FillMode::reflect},
    {"mirror", FillMode::mirror},
    {"wrap", FillMode::wrap},
}};
constexpr RealRange kPixels{0.0, 255.0};

std::optional<double> number_in(const Value& value) {
    if (const auto* real = value.as<double>()) return *real;
    if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
    return std::nullopt;
}

// One change: a table of the list.
class ChangeReader {
public:
    ChangeReader(const Value& change, const std::string& prefix, KeyGroup group,
                 ReadContext context)
        : change_(change), reader_(*change.as<Table>(), prefix, group, context) {}

    trainer::AugmentationConfig read(std::string_view type) {
        if (type == "random_flip") return flip();
        if (type == "random_crop") return crop();
        if (type == "random_translation") return translation();
        if (type == "random_rotation")
            return trainer::RandomRotationConfig{around(0.0, "factor", {-1.0, 1.0}), fill({})};
        if (type == "random_zoom") return zoom();
        if (type == "random_brightness")
            return trainer::RandomBrightnessConfig{around(0.0, "factor", {-1.0, 1.0})};
        if (type == "random_contrast")
            return trainer::RandomContrastConfig{around(1.0, "factor", {0.0, 10.0})};
        if (type == "mixup") return mixup();
        return cutout();
    }

private:
    trainer::AugmentationConfig flip() {
        trainer::RandomFlipConfig config;
        config.mode = reader_.choice("mode", kFlipModes).value_or(config.mode);
        return config;
    }

    trainer::AugmentationConfig crop() {
        need("padding");
        trainer::RandomCropConfig config;
        config.padding = reader_.count("padding", 1, kMostPixels).value_or(1);
        config.fill = fill(config.fill);
        return config;
    }

    trainer::AugmentationConfig translation() {
        trainer::RandomTranslationConfig config;
        config.height = around(0.0, "height_factor", {-1.0, 1.0});
        config.width = around(0.0, "width_factor", {-1.0, 1.0});
        config.fill = fill({});
        return config;
    }

    trainer::AugmentationConfig zoom() {
        trainer::RandomZoomConfig config;
        const RealRange range{-1.0, 10.0, false, true};
        config.height = around(0.0, "height_factor", range);
        config.keeps_aspect = !reader_.has("width_factor");
        if (!config.keeps_aspect) config.width = around(0.0, "width_factor", range);
        config.fill = fill({});
        return config;
    }

    trainer::AugmentationConfig cutout() {
        need("size");
        trainer::CutoutConfig config;
        config.size = reader_.count("size", 1, kMostPixels).value_or(1);
        config.fill_value = reader_.real("fill_value", kPixels).value_or(config.fill_value);
        return config;
    }

    trainer::AugmentationConfig mixup() {
        trainer::MixupConfig config;
        config.alpha = reader_.real("alpha", {0.0, 100.0, false, true}).value_or(config.alpha);
        return config;
    }

    void need(std::string_view key) {
        if (!reader_.has(key)) reader_.problem(change_, fmt::format("it needs {}", key));
    }

    trainer::Fill fill(trainer::Fill fill) {
        fill.mode = reader_.choice("fill_mode", kFillModes).value_or(fill.mode);
        fill.value = reader_.real("fill_value", kPixels).value_or(fill.value);
        return fill;
    }

    // A number: so much to both sides of `centre`. [low, high]: as it stands; Keras means both so.
    FactorRange around(double centre, std::string_view key, const RealRange& range) {
        need(key);
        const Value* value = reader_.find(key);
        if (!value || value->as<Unusable>()) return {centre, centre};
        std::optional<FactorRange> factors;
        if (const auto number = number_in(*value)) {
            factors = {centre - *number, centre + *number};
            if (*number < 0.0) factors.reset();
        }
        const Array* list = value->as<Array>();
        if (list && list->size() == 2) {
            const auto low = number_in((*list)[0]), high = number_in((*list)[1]);
            // Of contrast Keras' pair is a part below 1 and a part above it.
            if (low && high && centre == 0.0) factors = {*low, *high};
            if (low && high && centre != 0.0) factors = {centre - *low, centre + *high};
        }
        const bool is_good = factors && factors->low <= factors->high &&
                             range.contains(factors->low) && range.contains(factors->high);
        if (!is_good)
            reader_.must_be(key, *value,
                            fmt::format("a number of at least 0 or [low, high], {}",
                                        centre == 0.0 ? range.text() : "parts of 1"));
        return is_good ? *factors : FactorRange{centre, centre};
    }

    const Value& change_;
    TableReader reader_;
};

std::optional<trainer::AugmentationConfig> read_change(const Value& change, std::size_t index,
                                                       ReadContext context) {
    const Table* table = change.as<Table>();
    if (!table) {
        context.problems.add(change.origin,
                             "a change of images must be a table: { type = \"random_flip\" }");
        return std::nullopt;
    }
    const std::string prefix = fmt::format("data.augmentation.{}.", index);
    if (!table->find("type")) {
        context.problems.add(change.origin, "a change of images needs a type: " + one_of(kTypes));
        return std::nullopt;
    }
    const NamedKeys* type = named_by(*table, {"type"}, prefix, kTypes, context);
    if (type == nullptr) return std::nullopt;
    return ChangeReader(change, prefix, type->keys, context).read(type->name);
}

// ---- as text -----------------------------------------------------------------------------------

std::string text_of(double value) { return fmt::format("{}", value); }

std::string text_of(const FactorRange& range, double centre = 0.0) {
    return centre == 0.0 ? fmt::format("[{}, {}]", range.low, range.high)
                         : fmt::format("[{}, {}]", centre - range.low, range.high - centre);
}

std::string text_of(const trainer::Fill& fill) {
    return fmt::format("fill_mode = \"{}\", fill_value = {}",
                       word_in<FillMode>(kFillModes, fill.mode), fill.value);
}

struct Keys {
    std::string operator()(const trainer::RandomFlipConfig& c) const {
        return fmt::format("mode = \"{}\"", word_in<FlipMode>(kFlipModes, c.mode));
    }
    std::string operator()(const trainer::RandomCropConfig& c) const {
        return fmt::format("padding = {}, {}", c.padding, text_of(c.fill));
    }
    std::string operator()(const trainer::RandomTranslationConfig& c) const {
        return fmt::format("height_factor = {}, width_factor = {}, {}", text_of(c.height),
                           text_of(c.width), text_of(c.fill));
    }
    std::string operator()(const trainer::RandomRotationConfig& c) const {
        return fmt::format("factor = {}, {}", text_of(c.factor), text_of(c.fill));
    }
    std::string operator()(const trainer::RandomZoomConfig& c) const {
        const std::string width =
            c.keeps_aspect ? "" : fmt::format("width_factor = {}, ", text_of(c.width));
        return fmt::format("height_factor = {}, {}{}", text_of(c.height), width, text_of(c.fill));
    }
    std::string operator()(const trainer::RandomBrightnessConfig& c) const {
        return fmt::format("factor = {}", text_of(c.factor));
    }
    std::string operator()(const trainer::RandomContrastConfig& c) const {
        return fmt::format("factor = {}", text_of(c.factor, 1.0));
    }
    std::string operator()(const trainer::CutoutConfig& c) const {
        return fmt::format("size = {}, fill_value = {}", c.size, text_of(c.fill_value));
    }
    std::string operator()(const trainer::MixupConfig& c) const {
        return fmt::format("alpha = {}", text_of(c.alpha));
    }
};

}  // namespace

std::vector<trainer::AugmentationConfig> read_augmentation(TableReader& data) {
    std::vector<trainer::AugmentationConfig> changes;
    const Value* value = data.find("augmentation");
    if (!value || value->as<Unusable>()) return changes;
    const auto* word = value->as<std::string>();
    if (word && *word == "none") return changes;
    const Array* list = value->as<Array>();
    if (!list || list->size() > kMostChanges) {
        data.must_be("augmentation", *value,
                     fmt::format("\"none\" or a list of at most {} tables", kMostChanges));
        return changes;
    }
    bool mixes = false;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const auto change = read_change((*list)[i], i, data.context());
        if (!change) continue;
        const bool is_mixup = std::holds_alternative<trainer::MixupConfig>(*change);
        if (is_mixup && mixes) data.problem((*list)[i], "images are mixed once; remove one mixup");
        mixes = mixes || is_mixup;
        changes.push_back(*change);
    }
    return changes;
}

std::string augmentation_text(const std::vector<trainer::AugmentationConfig>& changes) {
    std::vector<std::string> texts;
    for (const trainer::AugmentationConfig& change : changes)
        texts.push_back(fmt::format("{{ type = \"{}\", {} }}", kTypes[change.index()].name,
                                    std::visit(Keys(), change)));
    return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace lockstep::pipeline
