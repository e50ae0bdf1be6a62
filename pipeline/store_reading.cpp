#include "pipeline/store_reading.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "pipeline/exit_codes.hpp"
#include "pipeline/failure.hpp"
#include "storage/run_store.hpp"

namespace lockstep::pipeline {

storage::RunDatabase open_for_reading(const std::filesystem::path& store) {
    return storage::RunDatabase(storage::RunStore::open(store).database(),
                                storage::DatabaseAccess::read_only);
}

storage::RunRow the_run(const storage::RunDatabase& database, std::string_view text) {
    const std::vector<storage::RunRow> matches = database.match_runs(text);
    if (matches.empty()) {
        throw Failure(kExitMissingInput,
                      fmt::format("the store has no run \"{}\"; `lockstep ls` lists them", text));
    }
    if (matches.size() == 1) return matches.front();
    std::string ids;
    for (const storage::RunRow& row : matches) ids += (ids.empty() ? "" : ", ") + row.run;
    throw UsageError(fmt::format("\"{}\" may mean several runs: {}", text, ids));
}

std::vector<reports::RunFacts> facts_of(const storage::RunDatabase& database,
                                        const std::vector<std::string>& run_ids) {
    std::vector<reports::RunFacts> facts;
    database.read_at_once([&] {
        for (const std::string& id : run_ids) {
            const auto row = database.find_run(id);
            if (row) facts.push_back({*row, database.epochs(id), database.metrics(id)});
        }
    });
    return facts;
}

void print(std::string_view text) {
    const bool is_written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (is_written) return;
    throw Failure(kExitInputOutput,
                  fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

}  // namespace lockstep::pipeline
