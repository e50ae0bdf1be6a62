#pragma once

// The names that Keras gives to what has none.

#include <map>
#include <string>
#include <string_view>

namespace lockstep::storage {

// "MaxPooling2D" -> "max_pooling2d", as Keras' to_snake_case().
std::string snake_case(std::string_view class_name);

// Places of layers in a .weights.h5: the class in snake case, counted from the second one on, also
// layers without weights.
class KerasPlaceNames {
public:
    std::string next(std::string_view class_name);

private:
    std::map<std::string, int> counts_;
};

}  // namespace lockstep::storage
