#include "pipeline/training/run_parents.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/planning/effective_config.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/settings/words.hpp"
#include "pipeline/training/run_start.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/weights/checkpoint_file.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {
namespace {

using storage::RunRow;

// Why a run cannot be gone on from.
class NoParent : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

std::string digest_with_epochs(const PlannedRun& planned, int epochs) {
    RunSpec run = planned.run;
    run.config.train.epochs = epochs;
    return effective_config(run).digest;
}

// What ends with the last epoch, as it does where nothing else is said; null: nothing does.
double* over_all_epochs(trainer::TrainConfig& train, double* over_epochs) {
    return over_epochs != nullptr && *over_epochs == train.epochs ? over_epochs : nullptr;
}
double* of_schedule(trainer::TrainConfig& train) {
    double* over_epochs = nullptr;
    const auto find_over_epochs = [&](auto& shape) {
        if constexpr (requires { shape.over_epochs; }) over_epochs = &shape.over_epochs;
    };
    std::visit(find_over_epochs, train.schedule.shape);
    return over_all_epochs(train, over_epochs);
}
double* of_lookahead(trainer::TrainConfig& train) {
    auto* lookahead = std::get_if<trainer::LookaheadConfig>(&train.optimizer.average);
    const bool falls = lookahead != nullptr && lookahead->power != 0.0;
    return over_all_epochs(train, falls ? &lookahead->over_epochs : nullptr);
}

// "" unless something is stretched over all epochs.
std::string digest_of_stretched(const PlannedRun& planned, int epochs) {
    RunSpec run = planned.run;
    trainer::TrainConfig& train = run.config.train;
    double* const stretched[] = {of_schedule(train), of_lookahead(train)};
    train.epochs = epochs;
    bool is_stretched = false;
    for (double* over_epochs : stretched) {
        if (over_epochs == nullptr) continue;
        *over_epochs = epochs;
        is_stretched = true;
    }
    return is_stretched ? effective_config(run).digest : "";
}

class Search {
public:
    Search(const storage::RunStore& store, const storage::RunDatabase& database,
           const PlannedRun& planned, const std::string& data_digest, const RunSetting& setting)
        : store_(store),
          database_(database),
          planned_(planned),
          data_digest_(data_digest),
          setting_(setting) {}

    ParentSearch find() const {
        ParentSearch search;
        const auto epochs =
            database_.finished_epochs(data_digest_, planned_.run.config.train.epochs);
        for (const int fewer : epochs) {
            for (const RunRow& row : finished(digest_with_epochs(planned_, fewer))) {
                try {
                    return {read(row), {}};
                } catch (const NoParent& error) {
                    if (search.refusal.empty()) search.refusal = error.what();
                }
            }
        }
        if (search.refusal.empty()) search.refusal = stretched_schedule(epochs);
        return search;
    }

private:
    std::vector<RunRow> finished(const std::string& config_digest) const {
        std::vector<RunRow> rows = database_.runs_of_config(config_digest);
        std::erase_if(rows, [&](const RunRow& row) {
            return row.state != storage::RunState::finished || row.data_digest != data_digest_;
        });
        return rows;
    }

    std::string stretched_schedule(const std::vector<int>& epochs) const {
        for (const int fewer : epochs) {
            const std::string digest = digest_of_stretched(planned_, fewer);
            if (digest.empty()) return {};
            const std::vector<RunRow> rows = finished(digest);
            if (rows.empty()) continue;
            return words_of_stretched(rows.front().run, fewer);
        }
        return {};
    }

    std::string words_of_stretched(const std::string& run, int epochs) const {
        trainer::TrainConfig train = planned_.run.config.train;
        const bool is_schedule = of_schedule(train) != nullptr;
        return fmt::format(
            "the {} of {} falls over its {} epochs, so that its {} are others than those of a run "
            "of {}; {}.over_epochs, set in both, lets a run go on",
            is_schedule ? fmt::format("{} schedule", schedule_word(train.schedule)) : "lookahead",
            run, epochs, is_schedule ? "learning rates" : "steps", train.epochs,
            is_schedule ? "schedule" : "optimizer.lookahead");
    }

    // The bytes that the run's row of this kind tells of.
    storage::Bytes file_of(const RunRow& row, std::string_view kind,
                           const std::filesystem::path& path) const {
        const auto artifact = database_.artifact(row.run, kind);
        if (!artifact)
            throw NoParent(fmt::format("{} of {} is not in the store any more",
                                       path.filename().string(), row.run));
        storage::Bytes bytes = storage::read_file(path);
        if (storage::sha256_hex(bytes) == artifact->sha256) return bytes;
        throw NoParent(fmt::format("{} of {} is not the file that the database tells of",
                                   path.filename().string(), row.run));
    }

    RunParent read(const RunRow& row) const {
        try {
            check_ranks(row);
            return read_files(row);
        } catch (const storage::StorageError& error) {
            if (error.kind() == storage::StorageError::Kind::locked) throw;  // of the database
            throw NoParent(error.what());
        } catch (const trainer::WeightsError& error) {
            throw NoParent(error.what());
        }
    }

    // The exchanges `ring` and `mpi` add up in an order that depends on the number of ranks.
    void check_ranks(const RunRow& row) const {
        if (planned_.run.config.parallel.exchange == trainer::ExchangeKind::ordered) return;
        for (const storage::AttemptRow& attempt : database_.attempts(row.run)) {
            if (attempt.ranks == setting_.ranks) continue;
            throw NoParent(fmt::format(
                "{} was trained on {} ranks, this is {}, and with exchange = \"{}\" the bits "
                "depend on that",
                row.run, attempt.ranks, setting_.ranks, row.exchange));
        }
    }

    RunParent read_files(const RunRow& row) const {
        const storage::RunFiles files = store_.run_files(row.run);
        const storage::Bytes bytes = file_of(row, storage::kCheckpointArtifact, files.checkpoint);
        storage::CheckpointState checkpoint =
            storage::parse_checkpoint(bytes, files.checkpoint.string());
        const auto kernels = other_kernels(checkpoint, setting_.environment);
        if (!kernels.empty())
            throw NoParent(fmt::format("{} was trained with other kernels: {}", row.run,
                                       fmt::join(kernels, ", ")));
        RunParent parent;
        parent.id = row.run;
        parent.epochs = database_.epochs(row.run);
        parent.steps = database_.steps(row.run);
        const bool is_whole = checkpoint.config_digest == row.config_digest &&
                              checkpoint.data_digest == row.data_digest &&
                              checkpoint.so_far.steps == 0 &&
                              std::cmp_equal(parent.epochs.size(), checkpoint.epochs_finished);
        if (!is_whole)
            throw NoParent(fmt::format("{} of {} is not of its last epoch",
                                       files.checkpoint.filename().string(), row.run));
        if (checkpoint.checkpoint && checkpoint.checkpoint->epoch > 0)
            parent.best = storage::parse_model_file(
                              file_of(row, storage::kBestArtifact, files.best), files.best.string())
                              .weights;
        parent.state = train_state(std::move(checkpoint));
        return parent;
    }

    const storage::RunStore& store_;
    const storage::RunDatabase& database_;
    const PlannedRun& planned_;
    const std::string& data_digest_;
    const RunSetting& setting_;
};

}  // namespace

ParentSearch find_parent(const storage::RunStore& store, const storage::RunDatabase& database,
                         const PlannedRun& planned, const std::string& data_digest,
                         const RunSetting& setting) {
    return Search(store, database, planned, data_digest, setting).find();
}

}  // namespace lockstep::pipeline
