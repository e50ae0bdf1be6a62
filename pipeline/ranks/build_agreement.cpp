#include "pipeline/ranks/build_agreement.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/process_state.hpp"
#include "storage/files/this_host.hpp"
#include "trainer/environment.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kShownBytes = 8;  // of a build's id

std::size_t round_up(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

// The id that the linker made of the program's content.
std::string id_in(const char* note, std::size_t length) {
    ElfW(Nhdr) header;
    while (length >= sizeof header) {
        std::memcpy(&header, note, sizeof header);
        const std::size_t name = sizeof header;
        const std::size_t value = name + round_up(header.n_namesz);
        const std::size_t end = value + round_up(header.n_descsz);
        if (end > length) break;
        if (header.n_type == NT_GNU_BUILD_ID && std::strcmp(note + name, "GNU") == 0) {
            std::string id;
            for (std::size_t i = 0; i < std::min<std::size_t>(header.n_descsz, kShownBytes); ++i)
                id += fmt::format("{:02x}", static_cast<unsigned char>(note[value + i]));
            return id;
        }
        note += end;
        length -= end;
    }
    return {};
}

int find_id(dl_phdr_info* object, std::size_t, void* found) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = object->dlpi_phdr[i];
        if (part.p_type != PT_NOTE) continue;
        // Addresses are numbers there.
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        const auto* note = reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr);
        std::string id = id_in(note, part.p_memsz);
        if (!id.empty()) *static_cast<std::string*>(found) = std::move(id);
    }
    return 1;  // the program itself comes first
}

}  // namespace

std::string build_identity() {
    std::string id;
    dl_iterate_phdr(find_id, &id);
    return fmt::format("lockstep {} (build {}), {}", LOCKSTEP_VERSION, id,
                       trainer::library_versions());
}

void require_one_build(const trainer::Communicator& world) {
    const std::vector<std::string> builds = world.gather_texts(build_identity());
    const std::vector<std::string> hosts = world.gather_texts(storage::host_name());
    for (std::size_t rank = 1; rank < builds.size(); ++rank) {
        if (builds[rank] == builds[0]) continue;
        throw AgreedFailure(
            kExitUnavailable,
            fmt::format("rank {} ({}) is {}, but rank 0 ({}) is {}; all ranks need one build", rank,
                        hosts[rank], builds[rank], hosts[0], builds[0]));
    }
}

}  // namespace lockstep::pipeline
