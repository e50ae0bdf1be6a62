#pragma once

// Rows of a run that the database could not take: runs/<run>/spool-<attempt>.jsonl, a line for each
// transaction that was not made. They are written to the database by the next one that is.

#include <filesystem>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/records/records.hpp"

namespace lockstep::storage {

class RunSpool {
public:
    // The spools of the run whose files lie in `run_folder`; `attempt` writes, if anybody does.
    RunSpool(std::filesystem::path run_folder, int attempt);

    // Durable when it returns. Throws StorageError.
    void append(const RecordedRows& rows) const;
    bool is_empty() const;  // of this attempt

    // Writes what this attempt and those before it left, as `attempt` (which must be the run's
    // newest), and removes the files. Again after a crash in its midst, it changes nothing. Lines
    // that were cut short are passed over.
    // Throws StorageError; then the files stay.
    void take_in(RunDatabase& database) const;

private:
    std::filesystem::path file_of(int attempt) const;
    std::filesystem::path folder_;
    int attempt_;
};

}  // namespace lockstep::storage
