#pragma once

// What the layers of a network read: `inputs`, by the names of layers in front.

#include <map>
#include <string>
#include <vector>

#include "pipeline/settings/table_reader.hpp"
#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

class LayerInputs {
public:
    explicit LayerInputs(Problems& problems) : problems_(problems) {}

    // Of the layer number `number`: its sources, none where it reads the one in front alone. A name
    // that no layer in front has is a problem.
    std::vector<trainer::ValueNumber> read(TableReader& reader, std::size_t number);
    // Layers behind may name it.
    void add(const std::string& name, std::size_t number) { numbers_[name] = number + 1; }

private:
    std::vector<trainer::ValueNumber> read_list(const Array& names);
    trainer::ValueNumber number_of(const Value& name);

    Problems& problems_;
    std::map<std::string, trainer::ValueNumber, std::less<>> numbers_{
        {std::string(kNetworkInput), 0}};
};

}  // namespace lockstep::pipeline
