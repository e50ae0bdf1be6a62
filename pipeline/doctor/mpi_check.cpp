#include "pipeline/doctor/mpi_check.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cstdio>

namespace lockstep::pipeline {
namespace {

struct Mpi {
    std::string name;     // "" if it says none that is known
    std::string version;  // "4.1.4"
};

std::string first_version_in(const std::string& text) {
    for (std::size_t place = 0; place < text.size(); ++place) {
        if (std::isdigit(static_cast<unsigned char>(text[place])) == 0) continue;
        std::string number =
            text.substr(place, text.find_first_not_of("0123456789.", place) - place);
        if (number.find('.') != std::string::npos) return number;
        place += number.size() - 1;
    }
    return {};
}

Mpi mpi_in(const std::string& text) {
    const auto says = [&](const char* word) { return text.find(word) != std::string::npos; };
    std::string name;
    if (says("Open MPI") || says("OpenRTE") || says("open-mpi")) name = "Open MPI";
    if (says("PRTE") || says("PRRTE")) name = "Open MPI";
    if (says("HYDRA") || says("MPICH")) name = "MPICH";
    if (says("Intel")) name = "Intel MPI";
    if (says("MVAPICH")) name = "MVAPICH";
    return {name, first_version_in(text)};
}

std::string major_of(const std::string& version) { return version.substr(0, version.find('.')); }

}  // namespace

Diagnosis check_mpi(const std::string& library, const std::string& mpirun) {
    const Mpi linked = mpi_in(library);
    const Mpi started = mpi_in(mpirun);
    const std::string words = mpirun.substr(0, mpirun.find('\n'));
    Diagnosis found{
        Health::ok, "MPI",
        fmt::format("library {}; mpirun in PATH: {}", library, words.empty() ? "none" : words)};
    if (mpirun.empty()) {
        found.health = Health::warning;
        found.advice = "only --ranks 1 works without mpirun; srun --mpi=pmix may do in its place";
    } else if (linked.name != started.name ||
               major_of(linked.version) != major_of(started.version)) {
        found.health = Health::problem;
        found.advice =
            "they do not belong together: every rank would be alone; put the mpirun of "
            "the library first in PATH";
    } else if (linked.version != started.version) {
        found.health = Health::warning;
        found.advice = "two versions of one MPI; better the mpirun that came with the library";
    }
    return found;
}

std::string mpirun_version() {
    // A constant command; `timeout` is of the coreutils, where mpirun is.
    std::FILE* pipe = ::popen("timeout 5 mpirun --version 2>/dev/null </dev/null", "r");
    if (pipe == nullptr) return {};
    std::string text;
    std::array<char, 512> buffer{};
    while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) {
        text += buffer.data();
    }
    return ::pclose(pipe) == 0 ? text : std::string();
}

}  // namespace lockstep::pipeline
