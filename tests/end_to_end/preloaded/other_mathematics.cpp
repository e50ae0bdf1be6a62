// A node whose mathematics library is not that of the others: preloaded on one rank, makes its
// pow() as exact as float32 alone. Adam's rate comes from it, so this rank's updates differ.

#include <dlfcn.h>

extern "C" double pow(double base, double exponent) noexcept {
    using Function = double(double, double);
    static auto* const real = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "pow"));
    return static_cast<double>(static_cast<float>(real(base, exponent)));
}
