// What the build with sanitizers must report: loading this addon commits the fault that NETTS_FAULT names. Tests
// load it to see that a report fails them. Not part of the package.
#include <node_api.h>

#include <climits>
#include <cstdlib>
#include <cstring>

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env, napi_value exports) {
  const char* fault = std::getenv("NETTS_FAULT");
  if (fault != nullptr && std::strcmp(fault, "use-after-free") == 0) {
    volatile char* bytes = static_cast<char*>(std::malloc(16));
    std::free(const_cast<char*>(bytes));
    bytes[0] = 1;
  }
  if (fault != nullptr && std::strcmp(fault, "overflow") == 0) {
    volatile int number = INT_MAX;
    number = number + 1;
  }
  return exports;
}
