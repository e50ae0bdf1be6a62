#include "trainer/benchmark/step_benchmark.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "trainer/config/architecture.hpp"
#include "trainer/kernels/convolution_benchmark.hpp"
#include "trainer/kernels/median.hpp"

namespace lockstep::trainer {

namespace {

double sum_of(const std::vector<double>& values) {
    double sum = 0.0;
    for (const double value : values) sum += value;
    return sum;
}

// Rows of the table of works, and to which of them a call belongs.
class WorkRows {
public:
    explicit WorkRows(MeasuredTraining& training) {
        using Key = std::tuple<std::size_t, bool, std::string_view>;
        std::map<Key, std::size_t> rows;
        const auto& nodes = training.network().graph().nodes();
        for (const PlannedStep& call : training.calls()) {
            const PlannedWork& planned = *call.work;
            const auto [place, is_new] = rows.try_emplace(
                {planned.node, planned.is_backward, planned.work.what}, works_.size());
            if (is_new)
                works_.push_back({.layer = nodes[planned.node].name,
                                  .is_backward = planned.is_backward,
                                  .work = planned.work.what,
                                  .is_meeting = planned.work.extent == Extent::batch,
                                  .products = planned.work.products,
                                  .leaves_products = planned.work.leaves_products});
            ++works_[place->second].calls;
            row_of_call_.push_back(place->second);
        }
    }

    std::vector<double> by_row(const std::vector<double>& calls) const {
        std::vector<double> seconds(works_.size(), 0.0);
        for (std::size_t i = 0; i < calls.size(); ++i) seconds[row_of_call_[i]] += calls[i];
        return seconds;
    }
    std::vector<WorkTiming>& works() { return works_; }

private:
    std::vector<WorkTiming> works_;
    std::vector<std::size_t> row_of_call_;
};

void add_flops(MeasuredTraining& training, std::vector<WorkTiming>& works) {
    const Architecture architecture =
        infer_shapes(training.config().layers, training.data().shape, training.network().classes());
    for (WorkTiming& work : works) {
        const auto layer = std::ranges::find(architecture.layers, work.layer, &LayerShape::name);
        if (layer == architecture.layers.end()) continue;
        work.flops =
            work.products * static_cast<double>(layer->flops) * training.plan().geometry().samples;
    }
}

// What one round measured on this rank.
struct Round {
    double plain;
    ClockedSteps clocked, together;
    AloneSteps alone;  // of calls where ranks meet, the time when they come together

    double kernels() const { return sum_of(alone.calls) + alone.update; }
    double parts() const {
        return sum_of(alone.calls) + together.parts.data + together.parts.loss +
               together.parts.exchange;
    }
};

Round measure_round(MeasuredTraining& training, const StepBenchmarkConfig& config) {
    Round round;
    round.plain = training.plain(config.steps);
    round.clocked = training.clocked(config.steps, Meeting::as_in_training);
    // Takes as long as the others.
    round.alone = training.alone(std::max(1, config.steps / (1 + config.repeats)), config.repeats);
    round.together = training.clocked(config.steps, Meeting::together);
    const std::vector<PlannedStep> calls = training.calls();
    for (std::size_t i = 0; i < calls.size(); ++i)
        if (calls[i].work->work.extent == Extent::batch)
            round.alone.calls[i] = round.together.calls[i];
    return round;
}

template <class Figure>
double median_of(const std::vector<Round>& rounds, Figure figure) {
    std::vector<double> values;
    for (const Round& round : rounds) values.push_back(figure(round));
    return median(std::move(values));
}

// Every rank's figures, one rank behind the other.
std::vector<double> of_all_ranks(std::span<const double> own, const Communicator& comm) {
    const auto ranks = static_cast<std::size_t>(comm.size());
    std::vector<double> all(own.size() * ranks);
    const std::vector<int> counts(ranks, static_cast<int>(own.size()));
    std::vector<int> offsets;
    for (std::size_t rank = 0; rank < ranks; ++rank)
        offsets.push_back(static_cast<int>(rank * own.size()));
    comm.all_gather(own, all, counts, offsets);
    return all;
}

double mean_over_ranks(double own, const Communicator& comm) {
    return sum_of(of_all_ranks(std::span(&own, 1), comm)) / comm.size();
}

// What a meeting takes beyond what it takes when all come together was waiting.
StepShares shares_of(const std::vector<Round>& rounds, const Communicator& comm) {
    const auto mean = [&](auto figure) { return mean_over_ranks(median_of(rounds, figure), comm); };
    StepShares shares;
    shares.compute = mean(
        [](const Round& round) { return round.clocked.parts.compute + round.clocked.parts.loss; });
    shares.data = mean([](const Round& round) { return round.clocked.parts.data; });
    for (const auto& [part, share] : {std::pair{&StepParts::statistics, &StepShares::statistics},
                                      std::pair{&StepParts::exchange, &StepShares::exchange}}) {
        const double in_training =
            mean([part = part](const Round& round) { return round.clocked.parts.*part; });
        const double together =
            mean([part = part](const Round& round) { return round.together.parts.*part; });
        shares.*share = comm.size() > 1 ? std::min(in_training, together) : in_training;
        shares.waiting += in_training - shares.*share;
    }
    return shares;
}

std::vector<ResidentMemory> memory_of_ranks(const Communicator& comm) {
    const ResidentMemory own = resident_memory();
    const std::array<double, 3> figures{static_cast<double>(own.now), static_cast<double>(own.peak),
                                        static_cast<double>(own.share)};
    const std::vector<double> all = of_all_ranks(figures, comm);
    std::vector<ResidentMemory> memory;
    for (std::size_t i = 0; i < all.size(); i += figures.size())
        memory.push_back({static_cast<std::int64_t>(all[i]), static_cast<std::int64_t>(all[i + 1]),
                          static_cast<std::int64_t>(all[i + 2])});
    return memory;
}

}  // namespace

StepBenchmark benchmark_step(MeasuredTraining& training, const StepBenchmarkConfig& config) {
    const Communicator& comm = training.comm();
    StepBenchmark result;
    result.batch = training.batch();
    training.plain(config.steps);  // warm-up
    result.memory = memory_of_ranks(comm);
    std::vector<Round> rounds;
    std::vector<double> peaks;
    for (int i = 0; i < config.rounds; ++i) {
        peaks.push_back(measured_fma_peak());
        rounds.push_back(measure_round(training, config));
    }
    result.fma_peak = median(peaks);
    result.step_seconds = median_of(rounds, [](const Round& round) { return round.plain; });
    result.clock_ratio = median_of(
        rounds, [](const Round& round) { return round.clocked.parts.sum() / round.plain; });
    // A rank without samples of the batch has no kernels to speak of.
    const double works = training.plan().geometry().samples > 0 ? 1.0 : 0.0;
    const double working = mean_over_ranks(works, comm);
    const auto ratio = [&](auto figure) {
        return mean_over_ranks(works > 0.0 ? median_of(rounds, figure) : 0.0, comm) / working;
    };
    result.step_by_kernels =
        ratio([](const Round& round) { return round.plain / round.kernels(); });
    result.step_by_parts = ratio([](const Round& round) { return round.plain / round.parts(); });
    result.shares = shares_of(rounds, comm);

    WorkRows rows(training);
    for (std::size_t row = 0; row < rows.works().size(); ++row) {
        rows.works()[row].seconds = median_of(
            rounds, [&](const Round& round) { return rows.by_row(round.clocked.calls)[row]; });
        rows.works()[row].alone_seconds = median_of(
            rounds, [&](const Round& round) { return rows.by_row(round.alone.calls)[row]; });
    }
    result.update_seconds =
        median_of(rounds, [](const Round& round) { return round.clocked.parts.exchange; });
    result.update_alone_seconds =
        median_of(rounds, [](const Round& round) { return round.alone.update; });
    result.works = std::move(rows.works());
    add_flops(training, result.works);
    return result;
}

}  // namespace lockstep::trainer
