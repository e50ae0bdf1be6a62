#pragma once

// The settings of a layer as TOML.

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/layers/layer_types.hpp"

namespace lockstep::pipeline {

struct KeyText {
    std::string_view key;
    std::string text;  // of its value
};

// Those that are a part of a run's settings: all but the optional ones that are as by default.
std::vector<KeyText> settings_of(const LayerKind& kind);
// Those that somebody has to write: the ones that are not as by default.
std::vector<KeyText> written_settings_of(const LayerKind& kind);

}  // namespace lockstep::pipeline
