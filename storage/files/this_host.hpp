#pragma once

// What tells this host, its boot and our name space of processes from all others.

#include <string>

namespace lockstep::storage {

// Each is "" where the system does not tell.
std::string host_name();
std::string boot_id();        // of the running kernel; another one after every boot
std::string pid_namespace();  // "pid:[4026531836]": a process number means something in it alone

}  // namespace lockstep::storage
