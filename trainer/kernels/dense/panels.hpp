#pragma once

// How the weights of a dense layer lie: panels of two vectors of units, the last one of one vector
// where that is enough. A row is one feature of one panel.

#include <algorithm>
#include <cstddef>

namespace lockstep::trainer {

// Features at once, so that their part of a panel, and of src or of sums, stays in the L2 cache.
inline constexpr int kFeaturesAtOnce = 1024;

// Features of one tile of dot products.
inline constexpr int kDotFeatures = 4;

struct DensePanels {
    int features = 0;
    int units = 0;
    int lanes = 0;  // of a vector

    int panels() const { return (units - 1) / (2 * lanes) + 1; }
    int rows() const { return panels() * features; }
    std::size_t first_unit(int panel) const { return size(panel) * 2 * size(lanes); }
    std::size_t units_of(int panel) const {  // without padding
        return std::min(size(units) - first_unit(panel), 2 * size(lanes));
    }
    int vectors(int panel) const { return units_of(panel) > size(lanes) ? 2 : 1; }
    std::size_t width(int panel) const { return size(vectors(panel)) * size(lanes); }
    // Floats in front of a row.
    std::size_t row_begin(int panel, int feature) const {
        return first_unit(panel) * size(features) + size(feature) * width(panel);
    }
    std::size_t row_begin(int row) const {  // of rows(): all of them
        return row < rows() ? row_begin(row / features, row % features) : weight_floats();
    }
    // The row in which a float lies.
    int row_of(std::size_t place) const {
        const std::size_t full = 2 * size(lanes) * size(features);
        const int panel = static_cast<int>(place / full);
        return panel * features + static_cast<int>((place - size(panel) * full) / width(panel));
    }
    std::size_t weight_floats() const { return row_begin(panels() - 1, features); }
    std::size_t place(int feature, int unit) const {
        const int panel = unit / (2 * lanes);
        return row_begin(panel, feature) + size(unit % (2 * lanes));
    }
    // Whether backward data goes over the units by dot products. A rule of the shape alone, as the
    // bits depend on it; few units leave too little to do before the lanes are summed.
    bool has_dots() const { return units >= 32 && features >= kDotFeatures; }
    // Floats from one sample's gathered diff_dst to the next: an odd number of cache lines.
    std::size_t diff_step() const {
        const std::size_t lines = (size(units) + kLine - 1) / kLine;
        return (lines | 1) * kLine;
    }

private:
    static constexpr std::size_t kLine = 16;  // floats
    static constexpr std::size_t size(int value) { return static_cast<std::size_t>(value); }
};

// Floats of such a tile's weights, and tiles that are copied into the L1 cache at once.
inline std::size_t dot_tile_floats(const DensePanels& g) { return kDotFeatures * g.diff_step(); }
inline int dot_tiles_at_once(const DensePanels& g) {
    constexpr std::size_t kFloats = 5 * 1024;
    return std::max(1, static_cast<int>(kFloats / dot_tile_floats(g)));
}

}  // namespace lockstep::trainer
