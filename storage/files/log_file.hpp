#pragma once

// Lines for people, one after the other: log.txt, mpirun.log.

#include <filesystem>
#include <string_view>

#include "storage/files/file_descriptor.hpp"

namespace lockstep::storage {

class LogFile {
public:
    // Opens the file to append to it, and makes it where it is missing. A link of its name is
    // replaced: it would lead out of the store. Never blocks.
    // Throws StorageError (cannot_create, no_permission, io), with the path and the system's
    // reason; cannot_create too where something that is no regular file stands there.
    explicit LogFile(const std::filesystem::path& path);

    // Whole at once, even if the process dies next. A line that does not get through, on a full
    // disk, is lost: no reason to stop. The lines after it are whole again.
    void write_line(std::string_view line);

private:
    FileDescriptor file_;
    bool is_line_cut_ = false;  // what stands at the end has no line break
};

}  // namespace lockstep::storage
