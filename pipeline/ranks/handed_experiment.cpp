#include "pipeline/ranks/handed_experiment.hpp"

#include <cstdlib>
#include <fstream>
#include <system_error>

#include "storage/files/atomic_file.hpp"

namespace lockstep::pipeline {
namespace {

constexpr const char* kVariable = "LOCKSTEP_EXPERIMENT";  // its path

}  // namespace

HandedExperiment::HandedExperiment(const std::filesystem::path& store, const std::string& text)
    : file_(storage::temporary_name(std::filesystem::absolute(store) / "experiment.toml")) {
    std::ofstream stream(file_, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    if (stream) ::setenv(kVariable, file_.c_str(), 1);
}

HandedExperiment::~HandedExperiment() {
    ::unsetenv(kVariable);
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

std::filesystem::path handed_experiment(const std::filesystem::path& file) {
    const char* const handed = std::getenv(kVariable);
    std::error_code ignored;
    return handed != nullptr && std::filesystem::exists(handed, ignored) ? handed : file;
}

}  // namespace lockstep::pipeline
