// The reference of every latency figure: what a C program does over the same library, as ib_send_lat does it: receives
// posted ahead, inline sends, one in 100 signalled, and polling without a pause, or sleeping with `events`.
//
//   pingpong server [port 0] → prints the port it listens at, and at the end {"processorUs":…} a round trip
//   pingpong client <port> [iterations 200000] [bytes 64] [events]
//     → prints {"iterations":…,"p50Us":…,"p99Us":…,…,"processorUs":…} of the round trips
//
// A server that is to wait for events is told so as well: pingpong server 0 0 64 events
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <numeric>
#include <vector>

#include "support.h"

namespace {

constexpr int kReceives = 128;
constexpr int kSignalEvery = 100;
constexpr uint32_t kRegionBytes = 1 << 20;
constexpr uint32_t kReceiveOffset = 1 << 19;

rdma_cm_id* Listen(rdma_event_channel* channel, rdma_cm_id* listener, int port) {
  sockaddr_in address = Loopback(port);
  Check("rdma_bind_addr", rdma_bind_addr(listener, reinterpret_cast<sockaddr*>(&address)) == 0);
  Check("rdma_listen", rdma_listen(listener, 1) == 0);
  std::printf("%u\n", ntohs(listener->route.addr.src_sin.sin_port));
  std::fflush(stdout);
  rdma_cm_event* request = Await(channel, RDMA_CM_EVENT_CONNECT_REQUEST);
  rdma_cm_id* id = request->id;
  rdma_ack_cm_event(request);
  return id;
}

// One end, connected.
class End {
 public:
  End(rdma_event_channel* channel, rdma_cm_id* id, bool accepts, uint32_t byte_length, bool events) : id_(id) {
    ibv_pd* domain = ibv_alloc_pd(id->verbs);
    send_queue_ = ibv_create_cq(id->verbs, 256, nullptr, nullptr, 0);
    if (events) channel_ = ibv_create_comp_channel(id->verbs);
    receive_queue_ = ibv_create_cq(id->verbs, 256, nullptr, channel_, 0);
    memory_ = static_cast<uint8_t*>(std::aligned_alloc(4096, kRegionBytes));
    std::memset(memory_, 0, kRegionBytes);
    region_ = ibv_reg_mr(domain, memory_, kRegionBytes, IBV_ACCESS_LOCAL_WRITE);
    Check("ibv_reg_mr", region_ != nullptr);
    ibv_qp_init_attr attributes{};
    attributes.send_cq = send_queue_;
    attributes.recv_cq = receive_queue_;
    attributes.cap = {2 * kSignalEvery, kReceives, 1, 1, 256};
    attributes.qp_type = IBV_QPT_RC;
    Check("rdma_create_qp", rdma_create_qp(id, domain, &attributes) == 0);
    send_element_ = {reinterpret_cast<uint64_t>(memory_), byte_length, region_->lkey};
    receive_element_ = {reinterpret_cast<uint64_t>(memory_) + kReceiveOffset, byte_length, region_->lkey};
    if (byte_length <= 256) inline_flag_ = static_cast<unsigned>(IBV_SEND_INLINE);
    PostReceives(kReceives);
    rdma_conn_param parameters{};
    Check("connecting", (accepts ? rdma_accept(id, &parameters) : rdma_connect(id, &parameters)) == 0);
    Expect(channel, RDMA_CM_EVENT_ESTABLISHED);
  }

  void Send() {
    ibv_send_wr request{};
    request.sg_list = &send_element_;
    request.num_sge = 1;
    request.opcode = IBV_WR_SEND;
    const bool signalled = ++sent_ % kSignalEvery == 0;
    request.send_flags = inline_flag_ | (signalled ? static_cast<unsigned>(IBV_SEND_SIGNALED) : 0);
    ibv_send_wr* bad = nullptr;
    Check("ibv_post_send", ibv_post_send(id_->qp, &request, &bad) == 0);
    // While the message is on its way.
    PostReceives(received_);
    received_ = 0;
    ibv_wc done[4];
    if (signalled) ibv_poll_cq(send_queue_, 4, done);
  }

  void Receive() {
    ibv_wc done[16];
    int count = 0;
    while ((count = ibv_poll_cq(receive_queue_, 16, done)) == 0) {
      if (channel_ == nullptr) continue;
      ibv_req_notify_cq(receive_queue_, 0);
      if ((count = ibv_poll_cq(receive_queue_, 16, done)) != 0) break;
      ibv_cq* fired = nullptr;
      void* user = nullptr;
      Check("ibv_get_cq_event", ibv_get_cq_event(channel_, &fired, &user) == 0);
      ibv_ack_cq_events(fired, 1);
    }
    Check("receiving", count > 0 && done[0].status == IBV_WC_SUCCESS);
    received_ += count;
  }

  uint8_t* sent_bytes() { return memory_; }
  const uint8_t* received_bytes() const { return memory_ + kReceiveOffset; }

 private:
  void PostReceives(int count) {
    ibv_recv_wr request{};
    request.sg_list = &receive_element_;
    request.num_sge = 1;
    ibv_recv_wr* bad = nullptr;
    for (; count > 0; --count) Check("ibv_post_recv", ibv_post_recv(id_->qp, &request, &bad) == 0);
  }

  rdma_cm_id* id_;
  ibv_comp_channel* channel_ = nullptr;
  ibv_cq* send_queue_;
  ibv_cq* receive_queue_;
  ibv_mr* region_;
  uint8_t* memory_;
  ibv_sge send_element_{};
  ibv_sge receive_element_{};
  unsigned inline_flag_ = 0;
  int sent_ = 0;
  int received_ = 0;
};

// Of this process, in microseconds.
double ProcessorUs() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

void Serve(End& end, uint32_t byte_length, int warmup, int iterations) {
  double began = 0;
  for (int round = 0; round < warmup + iterations; ++round) {
    if (round == warmup) began = ProcessorUs();
    end.Receive();
    std::memcpy(end.sent_bytes(), end.received_bytes(), byte_length);
    end.Send();
  }
  std::printf("{\"processorUs\":%.3f}\n", (ProcessorUs() - began) / iterations);
}

void Measure(End& end, uint32_t byte_length, int warmup, int iterations) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  times.reserve(static_cast<size_t>(iterations));
  double processor_began = 0;
  for (int round = 0; round < warmup + iterations; ++round) {
    if (round == warmup) processor_began = ProcessorUs();
    // The answer has to be this very message.
    std::memcpy(end.sent_bytes(), &round, std::min<size_t>(byte_length, sizeof(round)));
    const auto began = Clock::now();
    end.Send();
    end.Receive();
    const std::chrono::duration<double, std::micro> took = Clock::now() - began;
    Check("the answer", std::memcmp(end.sent_bytes(), end.received_bytes(), byte_length) == 0);
    if (round >= warmup) times.push_back(took.count());
  }
  const double processor_us = (ProcessorUs() - processor_began) / iterations;
  const double mean = std::accumulate(times.begin(), times.end(), 0.0) / iterations;
  std::sort(times.begin(), times.end());
  const auto at = [&times](double share) { return times[static_cast<size_t>(double(times.size() - 1) * share)]; };
  std::printf(
      "{\"iterations\":%zu,\"byteLength\":%u,\"minUs\":%.3f,\"p50Us\":%.3f,\"p90Us\":%.3f,\"p99Us\":%.3f,"
      "\"p999Us\":%.3f,\"meanUs\":%.3f,\"processorUs\":%.3f}\n",
      times.size(), byte_length, at(0), at(0.5), at(0.9), at(0.99), at(0.999), mean, processor_us);
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int index, int otherwise) { return argc > index ? std::atoi(argv[index]) : otherwise; };
  const bool serves = argc > 1 && std::strcmp(argv[1], "server") == 0;
  if (!serves && (argc < 3 || std::strcmp(argv[1], "client") != 0)) {
    std::fprintf(stderr, "pingpong server [port] | client <port> [iterations] [bytes] [events]\n");
    return 2;
  }
  const int iterations = number(3, 200'000);
  const auto byte_length = static_cast<uint32_t>(number(4, 64));
  const bool events = argc > 5 && std::strcmp(argv[5], "events") == 0;
  if (byte_length == 0 || byte_length > kReceiveOffset) return 2;

  rdma_event_channel* channel = rdma_create_event_channel();
  rdma_cm_id* made = nullptr;
  Check("rdma_create_id", channel != nullptr && rdma_create_id(channel, &made, nullptr, RDMA_PS_TCP) == 0);
  rdma_cm_id* id = serves ? Listen(channel, made, number(2, 0)) : Resolve(channel, made, number(2, 0));
  End end(channel, id, serves, byte_length, events);
  const int warmup = iterations / 10;
  if (serves) {
    Serve(end, byte_length, warmup, iterations);
  } else {
    Measure(end, byte_length, warmup, iterations);
    rdma_disconnect(id);
  }
  Expect(channel, RDMA_CM_EVENT_DISCONNECTED);
  if (serves) rdma_disconnect(id);
  return 0;
}
