#pragma once

// Which keys each kind of layer has, with their ranges.

#include <functional>
#include <string_view>

#include "pipeline/layers/key_visitor.hpp"

namespace lockstep::pipeline {

using LayerKind = decltype(trainer::LayerConfig::kind);

// In the order of Keras' constructors.
void visit_keys(LayerKind& kind, KeyVisitor& visitor);
// What an initializer takes beside its name: numbers.
using ArgumentVisitor = std::function<void(std::string_view key, double& value, RealRange range)>;
void visit_arguments(trainer::InitializerConfig& initializer, const ArgumentVisitor& visit);

}  // namespace lockstep::pipeline
