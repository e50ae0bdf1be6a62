#include "reports/charts/network_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "reports/words/html_text.hpp"

namespace lockstep::reports {
namespace {

// In pixels.
constexpr int kNarrowest = 120;  // of a node
constexpr int kLetter = 7;       // of a text, at most
constexpr int kLine = 15;        // of text
constexpr int kInset = 6;        // of text in its node
constexpr int kGap = 22;         // between nodes, across and down
constexpr int kLane = 12;        // between lines that go round

struct Box {
    int x = 0, y = 0, width = 0, height = 0;

    int middle() const { return x + width / 2; }
    int bottom() const { return y + height; }
};

// A line that passes nodes on its way, from one depth to another.
struct Detour {
    std::size_t from, to;
    std::size_t lane = 0;
};

class Drawing {
public:
    explicit Drawing(const std::vector<NetworkNode>& nodes) : nodes_(nodes), boxes_(nodes.size()) {
        for (const NetworkNode& node : nodes)
            for (const std::string& line : node.lines)
                width_ = std::max(width_, static_cast<int>(line.size()) * kLetter + 2 * kInset);
        place_nodes();
        place_detours();
    }

    std::string svg(std::string_view title) const {
        const int width = columns_ * (width_ + kGap) + static_cast<int>(lanes_) * kLane;
        const int height = boxes_.empty() ? 0 : bottom_ + 2;
        std::string text = fmt::format(
            "<svg class=\"network\" role=\"img\" viewBox=\"-1 -1 {} {}\" style=\"max-width:{}px\">"
            "<title>{}</title>",
            width + 2, height + 2, width, html_text(title));
        for (std::size_t i = 0; i < nodes_.size(); ++i) text += lines_to(i);
        for (std::size_t i = 0; i < nodes_.size(); ++i) text += node(i);
        return text + "</svg>\n";
    }

private:
    void place_nodes() {
        std::size_t deepest = 0;
        for (const NetworkNode& node : nodes_) deepest = std::max(deepest, node.depth);
        int y = 0;
        for (std::size_t depth = 0; depth <= deepest; ++depth) {
            int column = 0, height = 0;
            for (std::size_t i = 0; i < nodes_.size(); ++i) {
                if (nodes_[i].depth != depth) continue;
                const int lines = static_cast<int>(nodes_[i].lines.size());
                boxes_[i] = {column * (width_ + kGap), y, width_, lines * kLine + 2 * kInset};
                height = std::max(height, boxes_[i].height);
                ++column;
            }
            columns_ = std::max(columns_, column);
            bottom_ = y + height;
            y = bottom_ + kGap;
        }
    }

    bool passes_others(std::size_t from, std::size_t to) const {
        return nodes_[to].depth > nodes_[from].depth + 1;
    }

    // Each in the first lane that is free along its way.
    void place_detours() {
        for (std::size_t to = 0; to < nodes_.size(); ++to)
            for (const std::size_t from : nodes_[to].sources) {
                if (!passes_others(from, to)) continue;
                Detour detour{from, to};
                while (is_taken(detour)) ++detour.lane;
                lanes_ = std::max(lanes_, detour.lane + 1);
                detours_.push_back(detour);
            }
    }
    bool is_taken(const Detour& detour) const {
        return std::ranges::any_of(detours_, [&](const Detour& other) {
            return other.lane == detour.lane &&
                   nodes_[other.from].depth < nodes_[detour.to].depth &&
                   nodes_[detour.from].depth < nodes_[other.to].depth;
        });
    }

    std::string lines_to(std::size_t to) const {
        std::string text;
        const Box& end = boxes_[to];
        for (const std::size_t from : nodes_[to].sources) {
            const Box& start = boxes_[from];
            if (!passes_others(from, to)) {
                text += fmt::format("<path class=\"edge\" d=\"M{} {}L{} {}\"/>", start.middle(),
                                    start.bottom(), end.middle(), end.y);
                continue;
            }
            const auto detour = std::ranges::find_if(
                detours_, [&](const Detour& each) { return each.from == from && each.to == to; });
            const int lane =
                columns_ * (width_ + kGap) - kGap / 2 + static_cast<int>(detour->lane) * kLane;
            text += fmt::format("<path class=\"edge\" d=\"M{} {}V{}H{}V{}H{}V{}\"/>",
                                start.middle() + kLane, start.bottom(), start.bottom() + kGap / 3,
                                lane, end.y - kGap / 3, end.middle() + kLane, end.y);
        }
        return text;
    }

    std::string node(std::size_t i) const {
        const Box& box = boxes_[i];
        std::string text = fmt::format(
            "<rect class=\"node\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\"/>", box.x,
            box.y, box.width, box.height);
        int y = box.y + kInset + kLine - 4;
        for (const std::string& line : nodes_[i].lines) {
            text +=
                fmt::format("<text x=\"{}\" y=\"{}\">{}</text>", box.middle(), y, html_text(line));
            y += kLine;
        }
        return text;
    }

    const std::vector<NetworkNode>& nodes_;
    std::vector<Box> boxes_;
    std::vector<Detour> detours_;
    std::size_t lanes_ = 0;
    int width_ = kNarrowest;  // of all nodes
    int columns_ = 0;
    int bottom_ = 0;
};

}  // namespace

std::string network_drawing(const std::vector<NetworkNode>& nodes, std::string_view title) {
    if (nodes.empty()) return {};
    return Drawing(nodes).svg(title);
}

}  // namespace lockstep::reports
