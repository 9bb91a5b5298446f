#include "shared_receive_queue.h"

#include <cerrno>

#include "../posting.h"
#include "../util/errors.h"

namespace netts {

int SharedReceiveQueue::Create(uint32_t max_work_requests, uint32_t max_entries_asked) {
  ibv_srq_init_attr attributes{};
  // Events carry the number, not a pointer: another thread may take them.
  attributes.srq_context = reinterpret_cast<void*>(number());
  attributes.attr.max_wr = max_work_requests;
  attributes.attr.max_sge = max_entries_asked;
  queue_ = Ibv().create_srq(domain_->verbs(), &attributes);
  if (queue_ == nullptr) return errno;
  domain_->context().events().AddSubject(number());
  granted_ = attributes.attr;
  max_requests = max_work_requests;
  max_entries = max_entries_asked;
  return 0;
}

void SharedReceiveQueue::Close() noexcept {
  if (queue_ == nullptr) return;
  Ibv().destroy_srq(queue_);
  queue_ = nullptr;
  RefuseCalls();
  domain_->context().events().RemoveSubject(number());
  domain_.reset();
}

namespace {

// createSharedReceiveQueue(domain, maxWorkRequests, maxEntries)
//   → { handle, number, maxWorkRequests, maxEntries, buffer }
Napi::Value CreateSharedReceiveQueue(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto queue = std::make_shared<SharedReceiveQueue>(Share(Get<ProtectionDomain>(info[0])));
  const uint32_t max_requests = info[1].As<Napi::Number>().Uint32Value();
  const uint32_t max_entries = info[2].As<Napi::Number>().Uint32Value();
  // On iWARP a request without bytes takes an element, also if the program gives none.
  RequirePositive(env, "maxWorkRequests", max_requests);
  RequirePositive(env, "maxEntries", max_entries);
  const size_t byte_length = max_requests * (sizeof(ReceiveRecord) + max_entries * sizeof(EntryRecord));
  queue->requests = SharedMemory::Map(byte_length);
  if (queue->requests == nullptr) ThrowErrno(env, "mmap");
  const int error = queue->Create(max_requests, max_entries);
  if (error != 0) throw SystemError(env, "ibv_create_srq", error);
  if (!queue->AcceptCalls()) throw SystemError(env, "ibv_create_srq", ENOSPC);
  Napi::Object out = MakeHandle(env, queue).As<Napi::Object>();
  out.Set("maxWorkRequests", static_cast<double>(queue->granted().max_wr));
  out.Set("maxEntries", static_cast<double>(queue->granted().max_sge));
  out.Set("buffer", ExposeMemory(env, queue->requests, byte_length));
  return out;
}

// postSharedReceive(queue's callId, first, count) → how many
int64_t PostSharedReceive(Napi::Env env, SharedReceiveQueue& queue, const Numbers<2>& first_and_count) {
  const bool iwarp = queue.verbs()->context->device->transport_type == IBV_TRANSPORT_IWARP;
  return PostReceives(env, first_and_count, queue.state(), {&queue.domain(), queue.max_entries, 0, 0, iwarp},
                      *queue.requests, queue.max_requests, [&queue](ibv_recv_wr* chain, ibv_recv_wr** bad) {
                        return ibv_post_srq_recv(queue.verbs(), chain, bad);
                      });
}

// setSharedReceiveLimit(queue, limit)
void SetSharedReceiveLimit(const Napi::CallbackInfo& info) {
  ibv_srq_attr attributes{};
  attributes.srq_limit = info[1].As<Napi::Number>().Uint32Value();
  const int error = Ibv().modify_srq(Get<SharedReceiveQueue>(info[0]).verbs(), &attributes, IBV_SRQ_LIMIT);
  if (error != 0) throw SystemError(info.Env(), "ibv_modify_srq", error);
}

}  // namespace

void RegisterSharedReceiveQueue(Napi::Env env, Napi::Object exports) {
  exports.Set("createSharedReceiveQueue", Napi::Function::New(env, CreateSharedReceiveQueue));
  SetDirectCall<SharedReceiveQueue, 2, PostSharedReceive>(env, exports, "postSharedReceive");
  exports.Set("setSharedReceiveLimit", Napi::Function::New(env, SetSharedReceiveLimit));
}

}  // namespace netts
