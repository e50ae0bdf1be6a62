// The cut of a batch into shards and of shards into ranks: a partition, whatever the numbers.
#include "trainer/determinism/shards.hpp"

#include <algorithm>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::trainer;

TEST_CASE("pieces are contiguous, in order, of near-equal size, the longer ones first",
          "[trainer][shards]") {
    for (int total = 0; total <= 40; ++total)
        for (const int pieces : {1, 2, 3, 8, 11}) {
            CAPTURE(total, pieces);
            int next = 0, longest = near_equal_piece(total, pieces, 0).count;
            CHECK(longest == (total + pieces - 1) / pieces);
            for (int i = 0; i < pieces; ++i) {
                const SampleRange piece = near_equal_piece(total, pieces, i);
                CHECK(piece.first == next);
                CHECK(piece.count <= longest);
                CHECK(piece.count >= total / pieces);
                longest = piece.count;
                next += piece.count;
            }
            CHECK(next == total);
        }
}

TEST_CASE("every sample of a batch is in one shard of one rank, in order", "[trainer][shards]") {
    for (int batch = 1; batch <= 40; ++batch)
        for (const int shards : {1, 2, 3, 8, 11})
            for (int ranks = 1; ranks <= std::min(8, shards); ++ranks) {
                CAPTURE(batch, shards, ranks);
                const auto filled = filled_shards_by_rank(batch, shards, ranks);
                std::vector<SampleRange> found;
                int next_sample = 0, next_shard = 0;
                for (int rank = 0; rank < ranks; ++rank) {
                    const SampleRange own = shards_of_rank(shards, ranks, rank);
                    CHECK(own.first == next_shard);
                    CHECK(own.count >= 1);
                    next_shard += own.count;
                    const BatchGeometry geometry = batch_geometry(batch, shards, ranks, rank);
                    CHECK(geometry.batch == batch);
                    CHECK(geometry.first_sample == next_sample);
                    CHECK(static_cast<int>(geometry.shards.size()) ==
                          filled[static_cast<std::size_t>(rank)]);
                    int samples = 0;
                    for (const SampleRange& shard : geometry.shards) {
                        CHECK(shard.first == samples);
                        CHECK(shard.count >= 1);
                        samples += shard.count;
                        found.push_back({geometry.first_sample + shard.first, shard.count});
                    }
                    CHECK(geometry.samples == samples);
                    next_sample += samples;
                }
                CHECK(next_shard == shards);
                CHECK(next_sample == batch);
                // The shards are those of one rank: their cut knows nothing of the others.
                const auto alone = batch_geometry(batch, shards, 1, 0).shards;
                CHECK(std::equal(found.begin(), found.end(), alone.begin(), alone.end(),
                                 [](const SampleRange& a, const SampleRange& b) {
                                     return a.first == b.first && a.count == b.count;
                                 }));
            }
}
