#include "trainer/data/data_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <system_error>

#include "trainer/config/errors.hpp"
#include "trainer/data/number_text.hpp"

namespace lockstep::trainer {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        entries.push_back(entry->path());
    std::ranges::sort(entries);
    return entries;
}

std::string what_is_there(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return "there is no such folder";
    if (!fs::is_directory(path, ignored)) return "it is not a folder";
    constexpr std::size_t kMostNames = 10;
    const std::vector<fs::path> entries = entries_of(path);
    if (entries.empty()) return "it is empty or cannot be read";
    std::string names;
    for (std::size_t i = 0; i < std::min(entries.size(), kMostNames); ++i)
        names += (i == 0 ? "" : ", ") + entries[i].filename().string();
    if (entries.size() > kMostNames)
        names += fmt::format(" and {} more", entries.size() - kMostNames);
    return "it holds " + names;
}

void check_memory(const std::string& origin, std::int64_t bytes) {
    const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
    const std::int64_t memory = pages * ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && bytes > memory)
        throw DataError(DataError::Kind::damaged,
                        fmt::format("{} {} bytes, and this machine has {} bytes of memory", origin,
                                    with_commas(bytes), with_commas(memory)));
}

}  // namespace lockstep::trainer
