#include "trainer/determinism/shards.hpp"

#include <algorithm>

namespace lockstep::trainer {

SampleRange near_equal_piece(int total, int pieces, int index) {
    const int base = total / pieces, longer = total % pieces;
    return {index * base + std::min(index, longer), base + (index < longer ? 1 : 0)};
}

int shards_of_batch(int batch, int shards) {
    while (near_equal_piece(batch, shards, 0).count > kMostSamplesOfShard) shards *= 2;
    return shards;
}

SampleRange shards_of_rank(int shards, int ranks, int rank) {
    return near_equal_piece(shards, ranks, rank);
}

BatchGeometry batch_geometry(int batch, int shards, int ranks, int rank) {
    const SampleRange own = shards_of_rank(shards, ranks, rank);
    BatchGeometry geometry;
    geometry.batch = batch;
    geometry.first_sample =
        own.first < shards ? near_equal_piece(batch, shards, own.first).first : batch;
    for (int shard = own.first; shard < own.first + own.count; ++shard) {
        const SampleRange samples = near_equal_piece(batch, shards, shard);
        if (samples.count == 0) continue;
        geometry.shards.push_back({samples.first - geometry.first_sample, samples.count});
        geometry.samples += samples.count;
    }
    return geometry;
}

std::vector<int> filled_shards_by_rank(int batch, int shards, int ranks) {
    std::vector<int> counts;
    for (int rank = 0; rank < ranks; ++rank)
        counts.push_back(
            static_cast<int>(batch_geometry(batch, shards, ranks, rank).shards.size()));
    return counts;
}

}  // namespace lockstep::trainer
