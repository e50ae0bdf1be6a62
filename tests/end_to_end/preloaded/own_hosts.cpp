// Makes the ranks of a job believe that each is on a host of its own: preloaded, stands in front of
// MPI's own function. What they train then goes by messages, and none sees another's memory.
#include <mpi.h>

extern "C" int MPI_Comm_split_type(MPI_Comm comm, int split_type, int key, MPI_Info info,
                                   MPI_Comm* part) {
    if (split_type != MPI_COMM_TYPE_SHARED)
        return PMPI_Comm_split_type(comm, split_type, key, info, part);
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return PMPI_Comm_split(comm, rank, key, part);
}
