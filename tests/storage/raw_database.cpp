#include "tests/storage/raw_database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace lockstep::tests {
namespace {
constexpr int kLongestWait = 60'000;  // milliseconds
}

RawDatabase::RawDatabase(const std::filesystem::path& path)
    : database_(std::make_unique<SQLite::Database>(
          path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kLongestWait)) {}

RawDatabase::~RawDatabase() = default;

void RawDatabase::exec(const std::string& sql) { database_->exec(sql); }

}  // namespace lockstep::tests
