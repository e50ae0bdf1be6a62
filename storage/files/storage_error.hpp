#pragma once

// The one error of this room. what() is one line that names the file and the reason.

#include <stdexcept>
#include <string>

namespace lockstep::storage {

class StorageError : public std::runtime_error {
public:
    enum class Kind {
        cannot_create,  // a file or folder cannot be made there
        io,             // the system failed while reading or writing
        bad_data,       // a file is damaged, of another program, or of a newer version
        bad_statement,  // SQL of a user is wrong, more than one statement, or takes too long
        missing,        // a file, folder or row that was asked for does not exist
        no_permission,  // the system, or a rule of the database, does not allow it
        taken_over,     // another attempt has taken over the run: nothing was written
        locked,         // another program holds the database, for longer than one waits
        full,           // no space is left for the database
    };
    StorageError(Kind kind, const std::string& message)
        : std::runtime_error(message), kind_(kind) {}
    Kind kind() const { return kind_; }

private:
    Kind kind_;
};

// A folder is no store, or can not be made one.
class NoStoreError : public StorageError {
public:
    using StorageError::StorageError;
};

}  // namespace lockstep::storage
