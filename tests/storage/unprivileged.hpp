#pragma once

#include <unistd.h>

#include <stdexcept>

namespace lockstep::storage {

// Acts as a user whom file modes stop, until the end of the scope: root is none.
class Unprivileged {
public:
    Unprivileged() : was_root_(geteuid() == 0) {
        if (was_root_ && seteuid(kNobody) != 0) throw std::runtime_error("cannot become nobody");
    }
    ~Unprivileged() {
        if (was_root_ && seteuid(0) != 0) _exit(1);  // nothing after this could be trusted
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;

private:
    static constexpr uid_t kNobody = 65534;
    bool was_root_;
};

}  // namespace lockstep::storage
