#pragma once

// How the ranks of a communicator stand on nodes.

#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

// Ranks p L .. p L + L - 1 are on node p, L the same for all nodes. Where the ranks do not stand
// so, each rank counts as a node of its own.
struct Nodes {
    Communicator on_node;   // the L ranks of this rank's node
    Communicator of_place;  // the ranks that have this rank's place on their nodes, one a node

    int ranks_per_node() const { return on_node.size(); }
    int nodes() const { return of_place.size(); }
    int node() const { return of_place.rank(); }
    int place() const { return on_node.rank(); }
    bool is_one_node() const { return nodes() == 1; }
};

// Collective. Throws CommError if MPI fails.
Nodes find_nodes(const Communicator& comm);
Nodes each_rank_a_node(const Communicator& comm);

}  // namespace lockstep::trainer
