#pragma once

// The pieces of which a pass over a network consists (docs/plan.md).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "trainer/layers/buffer.hpp"

namespace lockstep::trainer {

struct StepContext {
    std::int64_t step = 0;  // updates made before this one, in the whole run
};

enum class Extent {
    prepare,  // once a run, before its shards: reads parameters alone
    shard,    // for each own shard, with its number
    rank,     // once, for all own samples
    batch,    // once, and all ranks meet in it
};

struct Work {
    const char* what = "";  // in the words of `bench step`
    Extent extent = Extent::shard;
    // How many times the multiply-adds of the layer's forward pass it takes, by the direct
    // algorithm: forward 1, backward 1 by the weights and 1 by the data. For `bench step`.
    int products = 0;
    // It only hands over their factors: the exchange multiplies, in a time that is not this
    // piece's.
    bool leaves_products = false;
    std::vector<Buffer*> reads;
    std::vector<Buffer*> writes;  // one that it also reads is changed in place
    // Cheap, and the same again: done once more in front of a backward pass that reads what it
    // writes, rather than kept from the forward pass.
    bool is_repeatable = false;
    // Of those it reads, one in whose place its only result may be written, as long: it is used if
    // nobody reads that one later. Less memory to go through is less time.
    Buffer* may_overwrite = nullptr;
    std::function<void(const StepContext&, std::size_t shard)> run;
};

}  // namespace lockstep::trainer
