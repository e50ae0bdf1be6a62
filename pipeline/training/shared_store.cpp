#include "pipeline/training/shared_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <system_error>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// Of no file before: a network file system remembers which names were not there.
std::string new_name() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return fmt::format(".shared.{}.{}", ::getpid(), now.count());
}

class Token {
public:
    explicit Token(fs::path path) : path_(std::move(path)) {}
    ~Token() {
        std::error_code gone_already;
        fs::remove(path_, gone_already);
    }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

}  // namespace

void require_shared_store(const fs::path& store, const trainer::Communicator& world) {
    const std::string name = world.broadcast_text(world.is_root() ? new_name() : std::string());
    const Token token(store / name);
    do_on_root(world, [&] {
        storage::RunStore::create(store);
        storage::replace_file(token.path(), "lockstep\n");
    });
    do_on_all(world, [&] {
        std::error_code error;
        if (fs::exists(token.path(), error)) return;
        throw Failure(kExitCannotCreate,
                      fmt::format("the store {} is not that of rank 0; runs side by side need one "
                                  "that all hosts share",
                                  fs::absolute(store).string()));
    });
    world.barrier();  // all have looked before anyone removes it
}

}  // namespace lockstep::pipeline
