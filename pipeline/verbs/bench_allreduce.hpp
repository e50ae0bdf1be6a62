#pragma once

#include <cstddef>
#include <vector>

#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct BenchOptions {
    // Elements of the gradient, 1 to 2^30. By default small ones, then 0.5, 1 and 2.2 MB: the
    // tutorials' networks lie between the last three.
    std::vector<std::size_t> counts{256, 4096, 32768, 122570, 262144, 551466};
    int repeats = 200;  // rounds in which every exchange runs once, >= 1
    int shards = 8;     // over all ranks, >= 1
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep bench allreduce`: the exchanges, with Adam's update of the weights, against each other
// and against MPI_Allreduce, on the ranks of an MPI session already started. Rank 0 prints the
// table to stdout, and what was measured to stderr. Columns: exchange; count (floats); megabytes;
// best and median in microseconds, means over the ranks; gb_s (the gradient's bytes by the best
// time); ratio_to_mpi (median time by that of the exchange `mpi`, which does the same work with
// MPI_Allreduce; below 1 is faster). Collective. Returns the exit code. Throws AgreedFailure, on
// every rank, if an option is out of range (kExitUsage) or if a sum of an ordered exchange has not
// the bits of a plain sum (kExitInternal).
int bench_allreduce(const BenchOptions& options);

}  // namespace lockstep::pipeline
