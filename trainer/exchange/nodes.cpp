#include "trainer/exchange/nodes.hpp"

#include <array>
#include <utility>

#include "liveness/pulse.hpp"

namespace lockstep::trainer {
namespace {

// Whether the node's ranks are the first, second, ... L of all.
bool is_block_of_ranks(const Communicator& node, int rank) {
    const int first = rank / node.size() * node.size();
    const liveness::Waiting waiting;
    std::array<int, 2> least{rank, -rank};  // and, with its sign changed, the greatest
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, least.data(), 2, MPI_INT, MPI_MIN, node.handle()),
              "MPI_Allreduce");
    return least[0] == first && -least[1] == first + node.size() - 1;
}

}  // namespace

Nodes find_nodes(const Communicator& comm) {
    Communicator node = comm.split_by_node();
    const bool is_block = is_block_of_ranks(node, comm.rank());
    int first_length = node.size();
    comm.broadcast(std::as_writable_bytes(std::span(&first_length, 1)));
    if (!comm.all_agree(is_block && node.size() == first_length)) return each_rank_a_node(comm);
    Communicator place = comm.split(node.rank());
    return {std::move(node), std::move(place)};
}

Nodes each_rank_a_node(const Communicator& comm) {
    return {comm.split(comm.rank()), comm.split(0)};
}

}  // namespace lockstep::trainer
