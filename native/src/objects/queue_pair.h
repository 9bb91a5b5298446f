// A reliable connected queue pair (ibv_qp), made on an id of the connection manager.
#pragma once

#include <memory>

#include "../posting.h"
#include "completion_queue.h"
#include "shared_receive_queue.h"

namespace netts {

class CmId;

class QueuePair final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kQueuePair;
  static constexpr const char* kName = "the queue pair";

  // The objects that it uses; they outlive the queue pair.
  struct Parents {
    std::shared_ptr<CmId> id;
    std::shared_ptr<ProtectionDomain> domain;
    std::shared_ptr<CompletionQueue> send_queue;
    std::shared_ptr<CompletionQueue> receive_queue;
    std::shared_ptr<SharedReceiveQueue> shared_queue;
  };

  explicit QueuePair(Parents parents);
  ~QueuePair() override { Close(); }

  // 0 or an errno. `capabilities` is what is asked for.
  int Create(const ibv_qp_cap& capabilities);
  void Close() noexcept override;
  bool closed() const noexcept override { return pair_ == nullptr; }
  ibv_qp* verbs() const { return pair_; }
  const ibv_qp_cap& granted() const { return granted_; }
  const ibv_qp_cap& asked() const { return asked_; }
  const PostingLimits& send_limits() const { return send_limits_; }
  PostingLimits receive_limits() const { return {send_limits_.domain, asked_.max_recv_sge, 0, 0, iwarp_}; }

  // The connection is established. Before that no send may be posted. The providers of software devices put it into the
  // queue before the kernel refuses it for the state, so it is refused here.
  void MarkEstablished() { established_ = true; }
  // A completion, an event or a call has shown that it is in the error state: what is posted from now on is flushed.
  void MarkFailed() { failed_ = true; }
  bool may_send() const { return established_ || failed_; }
  bool failed() const { return failed_; }
  // 0 or an errno.
  int MoveToError();
  // 0 or an errno.
  int QueryState(ibv_qp_state* state);
  // Whether the device flushes what is posted in the error state. siw takes it and does not complete it, so it is not
  // posted there; the functions below add its completions.
  bool flushes_posts_itself() const { return !iwarp_; }
  void FlushSends(const ibv_send_wr* chain);
  void FlushReceives(const ibv_recv_wr* chain);

  std::shared_ptr<SharedMemory> send_requests;
  std::shared_ptr<SharedMemory> receive_requests;

 private:
  Parents parents_;
  ibv_qp* pair_ = nullptr;
  ibv_qp_cap asked_{};
  ibv_qp_cap granted_{};
  PostingLimits send_limits_{};
  bool iwarp_ = false;
  bool established_ = false;
  bool failed_ = false;
};

void RegisterQueuePair(Napi::Env env, Napi::Object exports);

}  // namespace netts
