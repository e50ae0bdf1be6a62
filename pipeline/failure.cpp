#include "pipeline/failure.hpp"

#include <charconv>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/exit_codes.hpp"
#include "pipeline/spec.hpp"
#include "storage/storage_error.hpp"
#include "trainer/architecture.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/train.hpp"

namespace lockstep::pipeline {
namespace {

int exit_code_of(trainer::DataError::Kind kind) {
    switch (kind) {
        case trainer::DataError::Kind::missing:
            return kExitMissingInput;
        case trainer::DataError::Kind::damaged:
            return kExitBadData;
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
            return kExitInputOutput;
        case Kind::bad_data:
            return kExitBadData;
        case Kind::missing:
            return kExitMissingInput;
        case Kind::no_permission:
            return kExitNoPermission;
    }
    return kExitInternal;
}

// "70 message" and back; an empty text stands for no error.
std::string packed(const std::exception_ptr& error) {
    if (error == nullptr) return {};
    const Failure failure = failure_of(error);
    return std::to_string(failure.exit_code()) + " " + failure.what();
}

AgreedFailure unpacked(std::string_view text) {
    const std::size_t space = text.find(' ');
    int exit_code = kExitInternal;
    std::from_chars(text.data(), text.data() + space, exit_code);
    return {exit_code, std::string(text.substr(space + 1))};
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
        return {exit_code_of(data.kind()), data.what()};
    } catch (const storage::StorageError& storage) {
        return {exit_code_of(storage.kind()), storage.what()};
    } catch (const trainer::WeightsError& weights) {
        return {kExitBadData, weights.what()};
    } catch (const std::bad_alloc&) {
        return {kExitSystem, "out of memory; fewer ranks, or a smaller batch, need less"};
    } catch (const std::exception& internal) {  // CommError, NonFiniteLoss, ReplicaError, bugs
        return {kExitInternal, internal.what()};
    } catch (...) {
        return {kExitInternal, "unknown error"};
    }
}

void agree_on_errors(const trainer::Communicator& comm, const std::exception_ptr& error) {
    for (const std::string& text : comm.gather_texts(packed(error))) {
        if (!text.empty()) throw unpacked(text);
    }
}

}  // namespace lockstep::pipeline
