#include "tests/support/graph_description.hpp"

#include "tests/support/layer_probe.hpp"
#include "trainer/layers/add.hpp"
#include "trainer/layers/relayout.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

// A value of the graph under the layout in which the next part sees it: a flatten changes no more.
struct Seen {
    std::size_t value = 0;
    Layout layout{};
    Shape shape{};
};

class Builder {
public:
    Builder(Graph& graph, ComputeEngine& engine, Parameters& parameters)
        : graph_(graph), engine_(engine), parameters_(parameters) {}

    void build(const GraphDescription& description) {
        const Layout input = interleaved(description.input);
        seen_.push_back({graph_.add_input(input, true), input, description.input});
        for (const GraphPart& part : description.parts)
            seen_.push_back(part.layer ? layer(*part.layer, seen_[part.src.front()]) : sum(part));
        bring(seen_.back(), interleaved(seen_.back().shape));
    }

private:
    std::size_t bring(const Seen& from, const Layout& layout) {
        if (from.layout == layout) return from.value;
        return graph_.add({.name = "relayout",
                           .layer = std::make_unique<RelayoutLayer>(from.layout, layout),
                           .src = {from.value}});
    }
    Seen layer(const LayerConfig& config, const Seen& src) {
        const LayerShape shape = shape_of(config, src.shape);
        const std::size_t gradient = parameters_.trainable_size();
        const LayerSetting setting{.config = config,
                                   .shape = shape,
                                   .index = static_cast<std::uint32_t>(seen_.size() - 1),
                                   .is_last = false,
                                   .needs_diff_src = graph_.values()[src.value].needs_diff};
        auto made = make_layer(setting, src.layout, engine_, parameters_);
        const Layout dst = made->dst();
        if (made->is_identity()) return {src.value, dst, shape.output};
        const std::size_t value = bring(src, made->src());
        return {graph_.add({.name = config.name,
                            .layer = std::move(made),
                            .src = {value},
                            .first_gradient = gradient,
                            .gradient_floats = parameters_.trainable_size() - gradient}),
                dst, shape.output};
    }
    Seen sum(const GraphPart& part) {
        Seen dst = seen_[part.src.front()];
        std::vector<std::size_t> values;
        for (const std::size_t src : part.src) values.push_back(bring(seen_[src], dst.layout));
        dst.value = graph_.add({.name = "add",
                                .layer = std::make_unique<Add>(dst.layout, values.size()),
                                .src = values});
        return dst;
    }

    Graph& graph_;
    ComputeEngine& engine_;
    Parameters& parameters_;
    std::vector<Seen> seen_;
};

}  // namespace

BuildGraph build_of(const GraphDescription& description) {
    return [description](Graph& graph, ComputeEngine& engine, Parameters& parameters) {
        Builder(graph, engine, parameters).build(description);
    };
}

Values plain_logits(const GraphDescription& description, std::span<const Values> parameters,
                    const Values& input, int samples) {
    std::vector<Values> values{input};
    std::vector<Shape> shapes{description.input};
    for (const GraphPart& part : description.parts) {
        const std::size_t first = part.src.front();
        if (part.layer) {
            const LayerShape shape = shape_of(*part.layer, shapes[first]);
            const std::size_t tensors = shape.parameters.size();
            values.push_back(plain_forward(*part.layer, shape, parameters.first(tensors),
                                           values[first], samples));
            shapes.push_back(shape.output);
            parameters = parameters.subspan(tensors);
            continue;
        }
        Values sum = values[first];
        for (std::size_t i = 1; i < part.src.size(); ++i)
            for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += values[part.src[i]][k];
        values.push_back(std::move(sum));
        shapes.push_back(shapes[first]);
    }
    return values.back();
}

}  // namespace lockstep::tests
