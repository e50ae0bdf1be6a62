// `doctor` on this machine: what holds anywhere. The checks themselves:
// tests/pipeline/doctor_test.cpp.

#include <string>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

bool has(const Result& result, const std::string& text) {
    return result.output.find(text) != std::string::npos;
}

TEST_CASE("doctor looks at machine, store and plan, and makes no store", "[end_to_end]") {
    const TemporaryDirectory folder;
    const Result result = lockstep({"doctor", smoke_file(), "--ranks", "1", "--store",
                                    (folder / "none").string(), "--format", "csv"});
    INFO(result.output << result.errors);
    CHECK(result.exit_code == (has(result, "problem,") ? 69 : 0));
    for (const char* check :
         {"kernels", "MPI", "cores", "CPU quota", "memory", "/dev/shm", "descriptors", "store",
          "file system", "file locks", "free space", "clock"}) {
        INFO(check);
        CHECK(has(result, std::string(",") + check + ","));
    }
    CHECK_FALSE(std::filesystem::exists(folder / "none"));
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("doctor sees that a store's runs had other data", "[end_to_end]") {
    const std::string store = finished_store().string();
    const Result same =
        lockstep({"doctor", smoke_file(), "--ranks", "1", "--store", store, "--format", "csv"});
    CHECK(has(same, "ok,data,"));
}

TEST_CASE("doctor finds more ranks than cores", "[end_to_end]") {
    const Result result = lockstep({"doctor", "--ranks", "60000", "--format", "csv"});
    CHECK(result.exit_code == 69);
    CHECK(has(result, "problem,cores,"));
}

TEST_CASE("Under mpirun doctor compares the ranks, and prints once", "[end_to_end]") {
    Process job(mpirun_command(2, {"doctor", smoke_file(), "--format", "csv"}));
    const int exit_code = job.wait();
    INFO(job.output() << job.errors());
    const std::string output = job.output();
    CHECK(exit_code == (output.find("problem,") == std::string::npos ? 0 : 69));
    CHECK(output.find("ok,program,") != std::string::npos);
    CHECK(output.find("ok,data,") != std::string::npos);
    CHECK(output.find("health,check") == output.rfind("health,check"));
}

}  // namespace
}  // namespace lockstep::tests
