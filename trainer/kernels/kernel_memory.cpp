#include "trainer/kernels/kernel_memory.hpp"

#include <dnnl.hpp>

namespace lockstep::trainer {

bool is_want_of_memory(const std::exception& error) {
    const auto* of_onednn = dynamic_cast<const dnnl::error*>(&error);
    return of_onednn != nullptr && of_onednn->status == dnnl_out_of_memory;
}

}  // namespace lockstep::trainer
