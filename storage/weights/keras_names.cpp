#include "storage/weights/keras_names.hpp"

#include <cctype>
#include <cstddef>

namespace lockstep::storage {

std::string snake_case(std::string_view class_name) {
    const auto is_upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
    const auto is_lower = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
    std::string name;
    for (std::size_t i = 0; i < class_name.size(); ++i) {
        const bool begins_word = i > 0 && is_upper(class_name[i]) &&
                                 (is_lower(class_name[i - 1]) ||
                                  (i + 1 < class_name.size() && is_lower(class_name[i + 1])));
        if (begins_word) name += '_';
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(class_name[i])));
    }
    return name;
}

std::string KerasPlaceNames::next(std::string_view class_name) {
    const std::string stem = snake_case(class_name);
    const int index = counts_[stem]++;
    return index == 0 ? stem : stem + "_" + std::to_string(index);
}

}  // namespace lockstep::storage
