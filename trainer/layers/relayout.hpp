#pragma once

// Activations brought into the layout that the next layer wants. No layer of experiment files: the
// network puts it where two layouts differ.

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

class RelayoutLayer : public Layer {
public:
    RelayoutLayer(const Layout& from, const Layout& to) : Layer(from, to), relayout_(from, to) {}

    void bind(PassBuilder& pass) const override {
        pass.forward({.what = "relayout",
                      .extent = Extent::shard,
                      .reads = {&pass.src()},
                      .writes = {&pass.dst()},
                      .run = [this, &src = pass.src(), &dst = pass.dst(), shards = pass.shards()](
                                 const StepContext&, std::size_t i) {
                          relayout_.forward(src.of_shard(i), dst.of_shard(i), shards[i].count);
                      }});
        if (pass.diff_src() == nullptr) return;
        pass.backward({.what = "relayout",
                       .extent = Extent::shard,
                       .reads = {&pass.diff_dst()},
                       .writes = {pass.diff_src()},
                       .run = [this, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                               shards = pass.shards()](const StepContext&, std::size_t i) {
                           relayout_.backward(diff_dst.of_shard(i), diff_src.of_shard(i),
                                              shards[i].count);
                       }});
    }

private:
    Relayout relayout_;
};

}  // namespace lockstep::trainer
