#pragma once

// The folder of results:
//
//   lockstep.db
//   runs/<run id>/          effective.toml, checkpoint.h5, checkpoint.prev.h5, best.h5, final.h5,
//                           predictions.h5, log.txt
//   reports/<experiment>/   report.html, report.md, report.csv, pairs.csv

#include <filesystem>
#include <string>
#include <string_view>

namespace lockstep::storage {

// [A-Za-z0-9._-]{1,64} without a leading '.' or '-': inert in paths, shells, SQL and HTML.
bool is_safe_name(std::string_view name);
// The same up to 80 characters: a run's name, '-' and a short hash.
bool is_safe_run_id(std::string_view run);

// Absolute paths of one run's files. They need not exist.
struct RunFiles {
    std::filesystem::path folder;
    std::filesystem::path checkpoint;
    std::filesystem::path previous_checkpoint;
    std::filesystem::path best;
    std::filesystem::path final_weights;
    std::filesystem::path predictions;
    std::filesystem::path effective_config;
    std::filesystem::path log;
};

class RunStore {
public:
    // Opens the folder for writing: makes it where it is missing, checks that files can be made in
    // it, and sweeps temporary files that dead processes left.
    // Throws StorageError (cannot_create, no_permission, io).
    static RunStore create(const std::filesystem::path& root);
    // For reading only. Throws StorageError (missing) where there is no such folder.
    static RunStore open(const std::filesystem::path& root);

    const std::filesystem::path& root() const { return root_; }  // absolute
    std::filesystem::path database() const;

    // Throw StorageError (bad_data) for a name that is not safe.
    RunFiles run_files(std::string_view run) const;
    std::filesystem::path report_folder(std::string_view experiment) const;

    // Makes the folder; the same paths as above.
    // Throws StorageError (cannot_create, no_permission, io) too.
    RunFiles make_run_folder(std::string_view run) const;
    // Nothing stands in the place of a run's files but files, and links, which are replaced.
    // Throws StorageError (cannot_create).
    void require_places_of_files(std::string_view run) const;
    // Whether make_report_folder() will do, asked without making anything.
    // Throws StorageError (cannot_create, no_permission).
    void require_place_of_report(std::string_view experiment) const;
    // Removes temporary files that dead processes left: for who has claimed the run.
    void sweep_run_folder(std::string_view run) const;
    // Makes the folder and sweeps its temporary files.
    std::filesystem::path make_report_folder(std::string_view experiment) const;

    // Removes what training left of a run (for a start from the beginning): the files above except
    // the log. Missing ones are no error.
    void remove_run_files(std::string_view run) const;

    // `file` as artifact rows name it: relative to the root, with '/'.
    std::string relative_path(const std::filesystem::path& file) const;

private:
    explicit RunStore(std::filesystem::path root);
    std::filesystem::path root_;
};

}  // namespace lockstep::storage
