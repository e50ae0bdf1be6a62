#pragma once

// Whether a run database is whole, and a new one out of what can still be read of a damaged one.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::storage {

struct DatabaseCheck {
    // A writer was killed in a transaction. Its journal has been rolled back by this check, as any
    // reader does.
    bool had_hot_journal = false;
    std::string refusal;              // why nothing can be read: no database, another program's
    std::vector<std::string> damage;  // SQLite's integrity_check, a line each; empty: whole
    std::int64_t rows_without_parent = 0;  // of runs that are not there
    // Signs of a copy that was made in the midst of a transaction and without its journal, where
    // SQLite itself sees nothing wrong: bytes behind what the file says is its end, and runs whose
    // totals are not those of their epochs.
    std::int64_t bytes_behind_end = 0;
    std::int64_t differing_totals = 0;
    // user_version of a newer Lockstep; such a database is not to be mended by this one.
    std::optional<std::int64_t> newer_version{};
};

// Looks at everything in the file; takes as long as reading it. Holds SQLite's read lock meanwhile.
// A refusal is told in the result. Throws StorageError as RunDatabase does for anything else.
DatabaseCheck check_database(const std::filesystem::path& path);

// Deletes the rows that belong to no run, and counts totals anew. Throws StorageError.
void mend_rows(const std::filesystem::path& path);

struct Salvage {
    std::int64_t rows = 0;                // that the new database holds
    std::vector<std::string> cut_tables;  // which could not be read to their end
};

// Writes a new database from all rows that `path` still gives, puts the damaged one aside as
// `aside` (same file system; it must not exist), and the new one in its place. Who wants to write
// meanwhile waits, and is then told that the file was replaced.
//   require_idle   asked once nobody can write any more; throws where somebody will want to
// Throws StorageError, also for a newer version's (bad_data) and where somebody holds it (locked);
// the damaged file then stands where it stood.
Salvage rebuild_database(
    const std::filesystem::path& path, const std::filesystem::path& aside,
    const std::function<void()>& require_idle = [] {});

}  // namespace lockstep::storage
