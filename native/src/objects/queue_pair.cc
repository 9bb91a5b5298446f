#include "queue_pair.h"

#include <cerrno>

#include "../connection/cm_id.h"
#include "../util/errors.h"
#include "device_attributes.h"
#include "memory_region.h"

namespace netts {
namespace {

// Operations that the device lacks, as bits `1 << ibv_wr_opcode`. Its provider does not refuse all of them.
uint32_t UnsupportedOpcodes(const Context& context) {
  uint32_t bits = 0;
  if (context.verbs()->device->transport_type == IBV_TRANSPORT_IWARP) {
    bits |= 1u << IBV_WR_RDMA_WRITE_WITH_IMM | 1u << IBV_WR_SEND_WITH_IMM;
  }
  if (context.attributes().atomic_cap == IBV_ATOMIC_NONE) {
    bits |= 1u << IBV_WR_ATOMIC_CMP_AND_SWP | 1u << IBV_WR_ATOMIC_FETCH_AND_ADD;
  }
  if ((context.attributes().device_cap_flags & kMemoryWindowType2) == 0 || context.attributes().max_mw == 0) {
    // siw reports Send with invalidate as possible, but then ends the connection. Without windows there is no key to
    // invalidate.
    bits |= 1u << IBV_WR_BIND_MW | 1u << IBV_WR_LOCAL_INV | 1u << IBV_WR_SEND_WITH_INV;
  }
  if ((context.attributes().device_cap_flags & IBV_DEVICE_MEM_MGT_EXTENSIONS) == 0) {
    bits |= 1u << IBV_WR_SEND_WITH_INV;
  }
  return bits;
}

}  // namespace

QueuePair::QueuePair(Parents parents)
    : Resource(parents.domain->shared_state(), kKind), parents_(std::move(parents)) {}

int QueuePair::Create(const ibv_qp_cap& capabilities) {
  ibv_qp_init_attr attributes{};
  // Events carry the number, not a pointer: another thread may take them.
  attributes.qp_context = reinterpret_cast<void*>(number());
  attributes.send_cq = parents_.send_queue->verbs();
  attributes.recv_cq = parents_.receive_queue->verbs();
  attributes.srq = parents_.shared_queue == nullptr ? nullptr : parents_.shared_queue->verbs();
  attributes.cap = capabilities;
  attributes.qp_type = IBV_QPT_RC;
  attributes.sq_sig_all = 0;
  rdma_cm_id* id = parents_.id->verbs();
  if (Rdma().create_qp(id, parents_.domain->verbs(), &attributes) != 0) return errno;
  pair_ = id->qp;
  parents_.send_queue->Attach(pair_->qp_num, this);
  parents_.receive_queue->Attach(pair_->qp_num, this);
  parents_.domain->context().events().AddSubject(number());
  iwarp_ = pair_->context->device->transport_type == IBV_TRANSPORT_IWARP;
  asked_ = capabilities;
  granted_ = attributes.cap;
  send_limits_ = {parents_.domain.get(), asked_.max_send_sge, asked_.max_inline_data,
                  UnsupportedOpcodes(parents_.domain->context()), iwarp_};
  return 0;
}

void QueuePair::Close() noexcept {
  if (pair_ == nullptr) return;
  parents_.id->InterruptConnect();
  parents_.send_queue->Detach(pair_->qp_num);
  parents_.receive_queue->Detach(pair_->qp_num);
  Rdma().destroy_qp(parents_.id->verbs());
  pair_ = nullptr;
  RefuseCalls();
  parents_.domain->context().events().RemoveSubject(number());
  EnvState& env = state();
  parents_ = {};
  // Its windows are unbound now, so that regions can be deregistered.
  MemoryRegion::CloseLeftovers(env);
}

int QueuePair::MoveToError() {
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_ERR;
  const int error = Errno(Ibv().modify_qp(pair_, &attributes, IBV_QP_STATE));
  if (error == 0) MarkFailed();
  return error;
}

int QueuePair::QueryState(ibv_qp_state* state) {
  if (iwarp_) {
    // siw does not report the state.
    *state = failed_ ? IBV_QPS_ERR : established_ ? IBV_QPS_RTS : IBV_QPS_INIT;
    return 0;
  }
  ibv_qp_attr attributes{};
  ibv_qp_init_attr initial{};
  const int error = Ibv().query_qp(pair_, &attributes, IBV_QP_STATE, &initial);
  *state = attributes.qp_state;
  return Errno(error);
}

void QueuePair::FlushSends(const ibv_send_wr* chain) {
  for (; chain != nullptr; chain = chain->next) parents_.send_queue->AddFlushed(chain->wr_id, pair_->qp_num);
}

void QueuePair::FlushReceives(const ibv_recv_wr* chain) {
  for (; chain != nullptr; chain = chain->next) parents_.receive_queue->AddFlushed(chain->wr_id, pair_->qp_num);
}

namespace {

uint32_t Number(const Napi::Object& options, const char* name) {
  return options.Get(name).As<Napi::Number>().Uint32Value();
}

// createQueuePair(id, domain, sendQueue, receiveQueue, sharedQueue | undefined, limits)
//   → { handle, number, queuePairNumber, granted limits, sendBuffer, receiveBuffer }
Napi::Value CreateQueuePair(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  QueuePair::Parents parents;
  CmId& id = Get<CmId>(info[0]);
  parents.id = Share(id);
  parents.domain = Share(Get<ProtectionDomain>(info[1]));
  parents.send_queue = Share(Get<CompletionQueue>(info[2]));
  parents.receive_queue = Share(Get<CompletionQueue>(info[3]));
  if (!info[4].IsUndefined()) parents.shared_queue = Share(Get<SharedReceiveQueue>(info[4]));
  const auto limits = info[5].As<Napi::Object>();
  ibv_qp_cap asked{};
  asked.max_send_wr = Number(limits, "maxSendWorkRequests");
  asked.max_recv_wr = Number(limits, "maxReceiveWorkRequests");
  asked.max_send_sge = Number(limits, "maxSendEntries");
  asked.max_recv_sge = Number(limits, "maxReceiveEntries");
  asked.max_inline_data = Number(limits, "maxInlineBytes");
  // Binding, and requests without bytes on iWARP, take an element, also if the program gives none.
  RequirePositive(env, "maxSendWorkRequests", asked.max_send_wr);
  RequirePositive(env, "maxSendEntries", asked.max_send_sge);
  RequirePositive(env, "maxReceiveEntries", asked.max_recv_sge);

  auto pair = std::make_shared<QueuePair>(parents);
  const size_t send_bytes = asked.max_send_wr * (sizeof(SendRecord) + asked.max_send_sge * sizeof(EntryRecord));
  const size_t receive_bytes =
      asked.max_recv_wr * (sizeof(ReceiveRecord) + asked.max_recv_sge * sizeof(EntryRecord));
  pair->send_requests = SharedMemory::Map(send_bytes);
  pair->receive_requests = SharedMemory::Map(receive_bytes == 0 ? 1 : receive_bytes);
  if (pair->send_requests == nullptr || pair->receive_requests == nullptr) ThrowErrno(env, "mmap");
  const int error = pair->Create(asked);
  if (error != 0) throw SystemError(env, "rdma_create_qp", error);
  if (!pair->AcceptCalls()) throw SystemError(env, "rdma_create_qp", ENOSPC);
  id.SetQueuePair(pair);

  Napi::Object out = MakeHandle(env, pair).As<Napi::Object>();
  const ibv_qp_cap& granted = pair->granted();
  out.Set("queuePairNumber", static_cast<double>(pair->verbs()->qp_num));
  out.Set("maxSendWorkRequests", static_cast<double>(granted.max_send_wr));
  out.Set("maxReceiveWorkRequests", static_cast<double>(granted.max_recv_wr));
  out.Set("maxSendEntries", static_cast<double>(granted.max_send_sge));
  out.Set("maxReceiveEntries", static_cast<double>(granted.max_recv_sge));
  out.Set("maxInlineBytes", static_cast<double>(granted.max_inline_data));
  out.Set("sendBuffer", ExposeMemory(env, pair->send_requests, send_bytes));
  out.Set("receiveBuffer", ExposeMemory(env, pair->receive_requests, receive_bytes));
  return out;
}

// postSend(pair's callId, first, count) → how many
int64_t PostSend(Napi::Env env, QueuePair& pair, const Numbers<2>& first_and_count) {
  const PostingLimits& limits = pair.send_limits();
  const Batch batch = BatchOf(env, first_and_count, *pair.send_requests, pair.asked().max_send_wr,
                              sizeof(SendRecord) + limits.max_entries * sizeof(EntryRecord));
  if (batch.count == 0) return 0;
  if (!pair.may_send()) {
    throw CodedError(env, "ERR_NETTS_INVALID_STATE", "the connection is not established yet");
  }
  ibv_send_wr* chain = nullptr;
  const Refusal refusal =
      BuildSends(pair.state(), limits, batch.records, batch.record_words, batch.count, &chain);
  if (refusal.code != nullptr) throw CodedError(env, refusal.code, refusal.message);
  if (pair.failed() && !pair.flushes_posts_itself()) {
    pair.FlushSends(chain);
    return batch.count;
  }
  ibv_send_wr* bad = nullptr;
  const int error = ibv_post_send(pair.verbs(), chain, &bad);
  return Posted(env, "ibv_post_send", error, CountPosted(batch.count, error, bad, chain));
}

// postReceive(pair's callId, first, count) → how many
int64_t PostReceive(Napi::Env env, QueuePair& pair, const Numbers<2>& first_and_count) {
  return PostReceives(env, first_and_count, pair.state(), pair.receive_limits(), *pair.receive_requests,
                      pair.asked().max_recv_wr, [&pair](ibv_recv_wr* chain, ibv_recv_wr** bad) {
                        if (!pair.failed()) return ibv_post_recv(pair.verbs(), chain, bad);
                        if (!pair.flushes_posts_itself()) {
                          pair.FlushReceives(chain);
                          return 0;
                        }
                        const int error = ibv_post_recv(pair.verbs(), chain, bad);
                        // rxe flushes its receive queue only when the queue pair is modified or used.
                        pair.MoveToError();
                        return error;
                      });
}

// queuePairState(pair) → enum ibv_qp_state
Napi::Value QueuePairState(const Napi::CallbackInfo& info) {
  ibv_qp_state state = IBV_QPS_RESET;
  const int error = Get<QueuePair>(info[0]).QueryState(&state);
  if (error != 0) throw SystemError(info.Env(), "ibv_query_qp", error);
  return Napi::Number::New(info.Env(), state);
}

// queuePairAttributes(pair) → what ibv_query_qp says
Napi::Value QueuePairAttributes(const Napi::CallbackInfo& info) {
  constexpr int kMask = IBV_QP_STATE | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_PORT | IBV_QP_AV | IBV_QP_TIMEOUT |
                        IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MIN_RNR_TIMER | IBV_QP_MAX_QP_RD_ATOMIC |
                        IBV_QP_MAX_DEST_RD_ATOMIC;
  QueuePair& pair = Get<QueuePair>(info[0]);
  ibv_qp_attr attributes{};
  ibv_qp_init_attr initial{};
  int error = Errno(Ibv().query_qp(pair.verbs(), &attributes, kMask, &initial));
  if (error == 0) error = pair.QueryState(&attributes.qp_state);
  if (error != 0) throw SystemError(info.Env(), "ibv_query_qp", error);
  Napi::Object out = Napi::Object::New(info.Env());
  const auto set = [&out](const char* name, unsigned value) { out.Set(name, static_cast<double>(value)); };
  set("state", attributes.qp_state);
  set("pathMtuBytes", MtuBytes(attributes.path_mtu));
  set("destinationQueuePairNumber", attributes.dest_qp_num);
  set("portNumber", attributes.port_num);
  set("gidIndex", attributes.ah_attr.grh.sgid_index);
  set("trafficClass", attributes.ah_attr.grh.traffic_class);
  set("ackTimeout", attributes.timeout);
  set("retryCount", attributes.retry_cnt);
  set("rnrRetryCount", attributes.rnr_retry);
  set("minRnrTimer", attributes.min_rnr_timer);
  set("initiatorDepth", attributes.max_rd_atomic);
  set("responderResources", attributes.max_dest_rd_atomic);
  return out;
}

// moveToError(pair)
void MoveToError(const Napi::CallbackInfo& info) {
  const int error = Get<QueuePair>(info[0]).MoveToError();
  if (error != 0) throw SystemError(info.Env(), "ibv_modify_qp", error);
}

// setMinRnrTimer(pair, code)
void SetMinRnrTimer(const Napi::CallbackInfo& info) {
  ibv_qp_attr attributes{};
  attributes.min_rnr_timer = static_cast<uint8_t>(info[1].As<Napi::Number>().Uint32Value());
  const int error = Errno(Ibv().modify_qp(Get<QueuePair>(info[0]).verbs(), &attributes, IBV_QP_MIN_RNR_TIMER));
  if (error != 0) throw SystemError(info.Env(), "ibv_modify_qp", error);
}

}  // namespace

void RegisterQueuePair(Napi::Env env, Napi::Object exports) {
  exports.Set("createQueuePair", Napi::Function::New(env, CreateQueuePair));
  SetDirectCall<QueuePair, 2, PostSend>(env, exports, "postSend");
  SetDirectCall<QueuePair, 2, PostReceive>(env, exports, "postReceive");
  exports.Set("queuePairState", Napi::Function::New(env, QueuePairState));
  exports.Set("queuePairAttributes", Napi::Function::New(env, QueuePairAttributes));
  exports.Set("moveToError", Napi::Function::New(env, MoveToError));
  exports.Set("setMinRnrTimer", Napi::Function::New(env, SetMinRnrTimer));
}

}  // namespace netts
