#include "pipeline/failure/failure.hpp"

#include <fmt/format.h>

#include <atomic>
#include <new>
#include <string>
#include <system_error>

#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/settings/spec_error.hpp"
#include "storage/files/storage_error.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/config/out_of_memory.hpp"
#include "trainer/kernels/kernel_memory.hpp"

namespace lockstep::pipeline {
namespace {

constexpr const char* kNeedsLess = "fewer ranks, or a smaller batch, need less";

// Of what nobody said what it was: where the rank was.
std::string out_of_memory_somewhere() {
    const auto phase =
        static_cast<liveness::Phase>(liveness::own_pulse().phase.load(std::memory_order_relaxed));
    if (phase == liveness::Phase::absent) return "out of memory";
    return fmt::format("out of memory in {}", liveness::to_string(phase));
}

// No thread, no memory.
bool is_limit(const std::error_code& code) {
    return code == std::errc::resource_unavailable_try_again ||
           code == std::errc::not_enough_memory;
}

Failure failure_of_system(const std::system_error& error) {
    if (!is_limit(error.code())) return {kExitInternal, error.what()};
    return {kExitSystem,
            fmt::format("{}: the system gives no more threads or memory (`ulimit -a`, the limits "
                        "of the job); fewer ranks need less",
                        error.what())};
}

constexpr const char* kWhereDataAreTold =
    ". Where they lie is told by --data, data.path or $LOCKSTEP_DATA";

constexpr const char* kOtherStore = "; --store DIR names another folder of results";

int exit_code_of(trainer::DataError::Kind kind) {
    switch (kind) {
        case trainer::DataError::Kind::missing:
            return kExitMissingInput;
        case trainer::DataError::Kind::damaged:
            return kExitBadData;
        case trainer::DataError::Kind::unreadable:
            return kExitInputOutput;
        case trainer::DataError::Kind::bad_request:
            return kExitBadSpec;
    }
    return kExitInternal;
}

int exit_code_of(storage::StorageError::Kind kind) {
    using Kind = storage::StorageError::Kind;
    switch (kind) {
        case Kind::cannot_create:
            return kExitCannotCreate;
        case Kind::io:
        case Kind::locked:
        case Kind::full:
            return kExitInputOutput;
        case Kind::bad_data:
            return kExitBadData;
        case Kind::bad_statement:
            return kExitUsage;
        case Kind::missing:
            return kExitMissingInput;
        case Kind::no_permission:
            return kExitNoPermission;
        case Kind::taken_over:
            return kExitLeftToOthers;
    }
    return kExitInternal;
}

}  // namespace

Failure failure_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const Failure& failure) {
        return failure;
    } catch (const UsageError& usage) {
        return {kExitUsage, usage.what()};
    } catch (const SpecError& spec) {
        return {kExitBadSpec, spec.what()};
    } catch (const trainer::ShapeError& shape) {
        return {kExitBadSpec, shape.what()};
    } catch (const trainer::DataError& data) {
        const bool is_missing = data.kind() == trainer::DataError::Kind::missing;
        return {exit_code_of(data.kind()),
                data.what() + std::string(is_missing ? kWhereDataAreTold : "")};
    } catch (const storage::NoStoreError& store) {
        return {exit_code_of(store.kind()), store.what() + std::string(kOtherStore)};
    } catch (const storage::StorageError& storage) {
        return {exit_code_of(storage.kind()), storage.what()};
    } catch (const trainer::WeightsError& weights) {
        return {kExitBadData, weights.what()};
    } catch (const trainer::OutOfMemory& memory) {
        return {kExitSystem, fmt::format("{}; {}", memory.what(), kNeedsLess)};
    } catch (const std::bad_alloc&) {
        return {kExitSystem, fmt::format("{}; {}", out_of_memory_somewhere(), kNeedsLess)};
    } catch (const trainer::NonFiniteNumbers& numbers) {
        return {kExitSomeRunsFailed, numbers.what()};
    } catch (const std::system_error& system) {
        return failure_of_system(system);
    } catch (const std::exception& internal) {  // CommError, ReplicaError, bugs
        if (trainer::is_want_of_memory(internal))
            return {kExitSystem,
                    fmt::format("{}, for a kernel of oneDNN ({}); {}", out_of_memory_somewhere(),
                                internal.what(), kNeedsLess)};
        return {kExitInternal, internal.what()};
    } catch (...) {
        return {kExitInternal, "unknown error"};
    }
}

}  // namespace lockstep::pipeline
