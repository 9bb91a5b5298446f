#include "siw_key_guard.h"

#include <mutex>
#include <unordered_map>

namespace netts {
namespace {

// SIW_VENDOR_ID of the kernel's siw.h: "bmt".
constexpr uint32_t kSiwVendor = 0x626d74;
// 0x90000 bytes are 18432 completions of 32 bytes; a fresh context places its first queue at 0.
constexpr int kCoveringEntries = 18433;

struct Covering {
  ibv_cq* queue;
  unsigned users;
};

// librdmacm has one context per device and process, which environments share.
std::mutex mutex;
std::unordered_map<ibv_context*, Covering> covering;

}  // namespace

SiwKeyGuard::SiwKeyGuard(ibv_context* context, const ibv_device_attr& attributes) {
  if (attributes.vendor_id != kSiwVendor) return;
  std::lock_guard<std::mutex> lock(mutex);
  Covering& entry = covering[context];
  // A failure is ignored: without the queue most things work too.
  if (entry.users++ == 0) entry.queue = Ibv().create_cq(context, kCoveringEntries, nullptr, nullptr, 0);
  context_ = context;
}

SiwKeyGuard::~SiwKeyGuard() {
  if (context_ == nullptr) return;
  std::lock_guard<std::mutex> lock(mutex);
  const auto found = covering.find(context_);
  if (--found->second.users > 0) return;
  if (found->second.queue != nullptr) Ibv().destroy_cq(found->second.queue);
  covering.erase(found);
}

}  // namespace netts
