#pragma once

// A store of imagined trainings, put into its database without training: figures that a test has
// chosen, whose statistics were worked out elsewhere.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "storage/database/run_database.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::tests {

class ImaginedStore {
public:
    ImaginedStore();
    std::filesystem::path path() const;

    // Finished seeds, the first of number `first_seed`, of ten classes and 10,000 test images.
    // More settings stand as lines of an effective configuration.
    //   returns   the ids: "small-seed1-small-first" of the experiment "first"
    std::vector<std::string> finish(const std::string& experiment, const std::string& name,
                                    const std::vector<double>& test_accuracies, int first_seed = 1,
                                    const std::string& settings = "",
                                    std::int64_t test_samples = 10'000);
    // A run that a process, which is gone, left at its first epoch, with this validation accuracy.
    std::string leave(const std::string& experiment, const std::string& name, double val_accuracy);
    // The runs are in this experiment's list, too.
    void list(const std::string& experiment, const std::vector<std::string>& runs);

private:
    void put_experiment(const std::string& name);
    storage::RunRow put_run(const std::string& experiment, const std::string& name, int seed,
                            const std::string& settings, std::int64_t test_samples);

    TemporaryDirectory folder_;
};

}  // namespace lockstep::tests
