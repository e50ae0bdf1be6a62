#pragma once

// Rows of a run that the database could not take: runs/<run>/spool-<attempt>.jsonl, a line for each
// transaction that was not made. They are written to the database by the next one that is.

#include <filesystem>
#include <map>
#include <vector>

#include "storage/database/run_database.hpp"
#include "storage/records/records.hpp"

namespace lockstep::storage {

// The spools in a run's folder, by their attempts; none where it cannot be read.
std::map<int, std::filesystem::path> spools_in(const std::filesystem::path& run_folder);

class RunSpool {
public:
    // The spools of the run whose files lie in `run_folder`; `attempt` writes, if anybody does.
    RunSpool(std::filesystem::path run_folder, int attempt);

    // Durable when it returns. Throws StorageError.
    void append(const RecordedRows& rows) const;
    bool is_empty() const;  // of this attempt

    // Writes what this attempt left, as `attempt` (which must be the run's newest), and removes the
    // file. Again after a crash in its midst, it changes nothing. Lines that were cut short are
    // passed over. Throws StorageError; then the file stays.
    void take_in(RunDatabase& database) const;
    // The same of this attempt and all before it: at a start, before anything else is read. Later
    // an attempt before it may be one that was overtaken and knows nothing of it.
    void take_in_all(RunDatabase& database) const;

private:
    void take_in(RunDatabase& database, const std::filesystem::path& file) const;
    std::filesystem::path file_of(int attempt) const;
    std::filesystem::path folder_;
    int attempt_;
};

}  // namespace lockstep::storage
