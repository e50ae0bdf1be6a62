#pragma once

// Add: dst = the sum of several sources of one layout, as in residual networks. Its gradient goes
// to each of them as it is.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class Add : public Layer {
public:
    Add(const Layout& layout, std::size_t sources) : Layer(layout, layout), sources_(sources) {}
    void bind(PassBuilder& pass) const override;

private:
    std::size_t sources_;
};

}  // namespace lockstep::trainer
