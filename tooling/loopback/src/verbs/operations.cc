// The functions that verbs.h calls through the context: posting, polling, arming, windows.
#include "../device/completion_queue.h"
#include "../device/memory_keys.h"
#include "../device/queue_pair.h"
#include "../device/receive_queue.h"
#include "export.h"

namespace loopback {
namespace {

int PollCq(ibv_cq* verbs, int capacity, ibv_wc* out) {
  auto& queue = *static_cast<CompletionQueue*>(verbs);
  Engine::Entered engine;
  engine->Progress();
  if (!queue.is_armed()) engine->SetSpinning(true);
  // A program that found something is about to answer, and polls again after that.
  if (!queue.empty()) engine.LeaveInHaste();
  return queue.Poll(capacity, out);
}

int Notify(ibv_cq* verbs, int solicited_only) {
  Engine::Entered engine;
  // What is there by now causes no event: the caller polls once more.
  engine->Settle();
  engine->SetSpinning(false);
  static_cast<CompletionQueue*>(verbs)->Arm(solicited_only != 0);
  return 0;
}

int PostSend(ibv_qp* verbs, ibv_send_wr* request, ibv_send_wr** bad) {
  const Ticks posted_at = Now();
  auto& pair = *static_cast<QueuePair*>(verbs);
  Engine::Entered engine;
  int error = 0;
  for (; request != nullptr; request = request->next) {
    error = pair.requester().Post(*request);
    if (error == 0) continue;
    *bad = request;
    break;
  }
  if (pair.can_send()) pair.requester().Transmit(posted_at);
  return error;
}

int PostReceive(ibv_qp* verbs, ibv_recv_wr* request, ibv_recv_wr** bad) {
  auto& pair = *static_cast<QueuePair*>(verbs);
  Engine::Entered engine;
  if (pair.srq != nullptr) return *bad = request, EINVAL;
  return pair.responder().Post(request, bad);
}

int PostSharedReceive(ibv_srq* verbs, ibv_recv_wr* request, ibv_recv_wr** bad) {
  Engine::Entered engine;
  return static_cast<SharedReceiveQueue*>(verbs)->Post(request, bad);
}

ibv_mw* AllocateWindow(ibv_pd* domain, ibv_mw_type type) {
  Engine::Entered engine;
  if (IsRemoved(domain->context)) return NullWithErrno<ibv_mw>(EIO);
  if (type != IBV_MW_TYPE_2) return NullWithErrno<ibv_mw>(EOPNOTSUPP);
  auto* window = new ibv_mw{};
  window->context = domain->context;
  window->pd = domain;
  window->type = type;
  window->rkey = MemoryKeys::Get().AddWindow(domain);
  return window;
}

int FreeWindow(ibv_mw* window) {
  Engine::Entered engine;
  MemoryKeys::Get().Remove(window->rkey);
  delete window;
  return 0;
}

}  // namespace

void SetOperations(ibv_context_ops& operations) {
  operations.poll_cq = PollCq;
  operations.req_notify_cq = Notify;
  operations.post_send = PostSend;
  operations.post_recv = PostReceive;
  operations.post_srq_recv = PostSharedReceive;
  operations.alloc_mw = AllocateWindow;
  operations.dealloc_mw = FreeWindow;
}

}  // namespace loopback
