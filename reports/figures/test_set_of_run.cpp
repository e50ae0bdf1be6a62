#include "reports/figures/test_set_of_run.hpp"

namespace lockstep::reports {

TestSet test_set_of(const storage::RunRow& run, const std::vector<ConfigValue>& config) {
    return {run.dataset, run.data_digest, list_of_texts(value_of(config, "data.classes")),
            run.test_samples};
}

TestSet test_set_of(const storage::RunRow& run) {
    return test_set_of(run, config_values(run.effective_config));
}

}  // namespace lockstep::reports
