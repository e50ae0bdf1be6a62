#pragma once

// Where ranks meet in a step: the sum of all shards' gradients, and the update of the weights by
// it.
//
// An exchange owns what the ranks of a node read of each other: the weights, and the gradients that
// each rank has summed over the subtrees of its own shards (shard_tree.hpp). A step:
//
//   each rank writes gradient(k) for its subtree k, with a tail of a few floats behind it
//   sum_tails()        the sum of the tails, on every rank: whether the step counts
//   sum_and_update()   the sum of the gradients, slice by slice; the weights, updated by it
//
// Between the two the caller may end the training. Weights are read by all ranks of a node from the
// end of one step to the beginning of sum_tails() in the next.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/slices.hpp"

namespace lockstep::trainer {

// All numbers are equal on all ranks.
struct ExchangeSetting {
    std::size_t count = 0;  // floats of the weights and of a gradient; may be 0
    std::size_t tail = 0;   // floats behind a gradient
    int shards = 1;         // of a batch, over all ranks, which own them by shards_of_rank()
    std::vector<int> filled_shards;  // shards with samples: what steps may have
    std::size_t factors = 0;         // floats of factors()
    bool keeps_sums = false;         // for visit_sums()
    bool has_directions = false;     // for directions()
};

// Updates weights first .. first + sum.size() - 1 by their summed gradient, or looks at them.
using SliceUpdate = std::function<void(std::size_t first, std::span<const float> sum)>;

// A part of the weights whose summed gradient is formed by the rank that updates it, out of
// factors(): nobody writes or reads gradients of it.
struct FormedRange {
    std::size_t first = 0, count = 0;  // of the weights
    // The sum of some floats of it, in memory of the callee; at most kFormedPiece at once.
    std::function<std::span<const float>(std::size_t first, std::size_t count)> form;
};
inline constexpr std::size_t kFormedPiece = 4096;

// Every call is collective: all ranks make it in the same order. Throws CommError if MPI fails;
// other ranks may then wait forever, so the caller ends the run. Nothing is allocated in a step.
class Exchange {
public:
    virtual ~Exchange() = default;

    // [count], zero at first; on one node the same memory on every rank. Who writes them in another
    // way than by sum_and_update() sees to it that nobody reads them meanwhile.
    virtual std::span<float> weights() = 0;
    // The part of weights() that this rank writes where they are written otherwise: of the ranks
    // that have them in the same memory each weight is one's.
    virtual Slice own_weights() const = 0;
    // [count + tail], 64-byte aligned, for the sum over the own subtree of that number, of
    // subtrees_of(own shards, filled shards). Number 0 is always there: on a rank without a shard
    // in this step its tail counts, its gradient does not.
    virtual std::span<float> gradient(std::size_t subtree) = 0;

    // [setting.factors], zero at first, the same memory on every rank: written before sum_tails(),
    // read until the end of sum_and_update(). Empty where not all ranks share memory.
    virtual std::span<float> factors() { return {}; }
    // What is formed from now on; ranges do not overlap. Only where there are factors().
    virtual void form(const std::vector<FormedRange>& ranges);

    // [tail], until the next call. All own gradients are written.
    //   filled_shards   of this step, one of the setting's
    // Throws std::invalid_argument if it is none of them.
    virtual std::span<const float> sum_tails(int filled_shards) = 0;
    // Sums the gradients of the step of sum_tails(), to be looked at before anything is updated by
    // them; sum_and_update() then has them, and so has another visit. Calls `visit` for the weights
    // that are this rank's to update, in ascending order, in whole cache lines together. Of all
    // ranks every weight is one's to update at least. Only where the setting keeps sums.
    virtual void visit_sums(const SliceUpdate& visit) = 0;
    // What updates are made of that look at whole tensors: [count], zero at first, where ranks
    // share memory the same on each. Only where the setting has directions, else empty. Between
    // visit_sums() and sum_and_update()
    //   each rank writes it at the places that it updates;  collect_directions()
    //   each rank makes a part of it anew;                  share_directions()
    // and on return from either all of it is there, on every rank.
    virtual std::span<float> directions() = 0;
    virtual void collect_directions() = 0;
    //   parts   by rank; they do not overlap
    virtual void share_directions(std::span<const Slice> parts) = 0;
    // Sums the gradients of the step of sum_tails() and calls `update` for the weights that are
    // this rank's to update, piece by piece. On return all weights are there, on every rank, and
    // the gradients may be written anew.
    virtual void sum_and_update(const SliceUpdate& update) = 0;
    // The same of a step that leaves the weights as they are: `take` gets the sums, pieces as those
    // of sum_and_update(), and no weights travel.
    virtual void sum_alone(const SliceUpdate& take) = 0;
    // Completes an array that each rank has written at the places that it updates.
    //   array   [count]
    virtual void collect(std::span<float> array) = 0;
};

// Makes the exchange of that kind. Collective; comm must outlive it.
// Throws CommError, on every rank, if the ranks were given different settings, or a count or tail
// that MPI's int can not express.
std::unique_ptr<Exchange> make_exchange(ExchangeKind kind, const Communicator& comm,
                                        const ExchangeSetting& setting);

}  // namespace lockstep::trainer
