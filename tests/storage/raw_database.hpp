#pragma once

// A database as other programs see it: a browser of databases, a script.

#include <filesystem>
#include <memory>
#include <string>

namespace SQLite {
class Database;
}

namespace lockstep::tests {

class RawDatabase {
public:
    // Made where there is none. Waits up to a minute for whoever holds it.
    explicit RawDatabase(const std::filesystem::path& path);
    ~RawDatabase();  // what is not committed is gone
    void exec(const std::string& sql);

private:
    std::unique_ptr<SQLite::Database> database_;
};

}  // namespace lockstep::tests
