#include "pipeline/keras/model_summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <vector>

#include "pipeline/settings/words.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::pipeline {
namespace {

using Row = std::array<std::string, 5>;

const Row kHead{"Layer (type)", "Output Shape", "Param #", "FLOPs", "Connected to"};

// Of a chain nothing: every layer is connected to the one above it.
std::string connections(const trainer::Architecture& architecture,
                        const trainer::LayerShape& layer) {
    std::vector<std::string> names;
    for (const trainer::ValueNumber source : layer.sources)
        names.push_back(source == 0 ? std::string(kNetworkInput)
                                    : architecture.layers[source - 1].name);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<Row> rows_of(const trainer::Architecture& architecture) {
    const bool has_connections = !architecture.is_chain();
    std::vector<Row> rows;
    for (const trainer::LayerShape& layer : architecture.layers) {
        rows.push_back({fmt::format("{} ({})", layer.name, layer.class_name),
                        to_string(layer.output), reports::thousands(layer.parameter_count()),
                        reports::thousands(layer.flops),
                        has_connections ? connections(architecture, layer) : std::string()});
    }
    return rows;
}

// The widths of the columns.
class Layout {
public:
    explicit Layout(const std::vector<Row>& rows)
        : has_connections_(
              std::ranges::any_of(rows, [](const Row& row) { return !row.back().empty(); })) {
        for (std::size_t column = 0; column < columns(); ++column) {
            widths_[column] = kHead[column].size();
            for (const Row& row : rows) {
                widths_[column] = std::max(widths_[column], row[column].size());
            }
        }
    }

    std::string line(const Row& row) const {
        std::string text = fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}", row[0], widths_[0], row[1],
                                       widths_[1], row[2], widths_[2], row[3], widths_[3]);
        if (has_connections_) text += "  " + row[4];
        text.erase(text.find_last_not_of(' ') + 1);
        return text + '\n';
    }

    std::string rule(char letter) const {
        return std::string(std::accumulate(widths_.begin(), widths_.end(), 2 * (columns() - 1)),
                           letter);
    }

    std::string table(const std::vector<Row>& rows) const {
        std::string text = line(kHead) + rule('=') + '\n';
        for (const Row& row : rows) text += line(row);
        return text;
    }

private:
    std::size_t columns() const { return has_connections_ ? widths_.size() : widths_.size() - 1; }

    bool has_connections_;
    std::array<std::size_t, 5> widths_{};
};

std::string bytes_text(std::int64_t bytes) {
    const auto value = static_cast<double>(bytes);
    if (bytes < 1024) return fmt::format("{} B", bytes);
    if (bytes < 1024 * 1024) return fmt::format("{:.2f} KB", value / 1024);
    return fmt::format("{:.2f} MB", value / (1024 * 1024));
}

std::string total_line(const char* what, std::int64_t parameters) {
    return fmt::format("{}: {} ({})\n", what, reports::thousands(parameters),
                       bytes_text(4 * parameters));
}

}  // namespace

std::string shape_table(const trainer::Architecture& architecture) {
    std::vector<Row> rows = rows_of(architecture);
    rows.insert(rows.begin(), {"input", to_string(architecture.input), "", "", ""});
    return Layout(rows).table(rows);
}

std::string model_summary(const std::string& name, const trainer::Architecture& architecture) {
    const std::vector<Row> rows = rows_of(architecture);
    const Layout layout(rows);
    const std::int64_t all = architecture.parameter_count();
    const std::int64_t trainable = architecture.trainable_count();
    return fmt::format("Model: \"{}\"\n{}\n", name, layout.rule('_')) + layout.table(rows) +
           layout.rule('=') + '\n' + total_line("Total params", all) +
           total_line("Trainable params", trainable) +
           total_line("Non-trainable params", all - trainable) +
           fmt::format("FLOPs of one image, forward: {}\n",
                       reports::thousands(architecture.flops()));
}

}  // namespace lockstep::pipeline
