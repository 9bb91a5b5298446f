// What posting and polling cost a C program over the same library: both ends in this process, batches of Writes of 64
// bytes. The benchmark of the addon does the same, and subtracts this: what is left is the way into the addon.
//
//   cost <batch> → prints {"post":…,"poll":…}, nanoseconds of processor time for one work request and one completion
#include <algorithm>
#include <cstring>
#include <ctime>
#include <vector>

#include "support.h"

namespace {

constexpr uint32_t kRegionBytes = 1 << 20;
constexpr uint32_t kPayloadBytes = 64;
// Between two looks at the clock: less than what a wire takes, so that none waits for room.
constexpr int kRequests = 512;
constexpr double kWarmupNs = 2e8;
constexpr double kMeasureNs = 3e8;

double ProcessorNs() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct End {
  End(rdma_cm_id* of, int batch) : id(of) {
    ibv_pd* domain = ibv_alloc_pd(id->verbs);
    queue = ibv_create_cq(id->verbs, 4096, nullptr, nullptr, 0);
    void* memory = std::aligned_alloc(4096, kRegionBytes);
    std::memset(memory, 0, kRegionBytes);
    region = ibv_reg_mr(domain, memory, kRegionBytes, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    Check("ibv_reg_mr", region != nullptr);
    ibv_qp_init_attr attributes{};
    attributes.send_cq = attributes.recv_cq = queue;
    attributes.cap = {1024, 1, 1, 1, 0};
    attributes.qp_type = IBV_QPT_RC;
    Check("rdma_create_qp", rdma_create_qp(id, domain, &attributes) == 0);
    completions.resize(static_cast<size_t>(batch));
  }

  rdma_cm_id* id;
  ibv_cq* queue = nullptr;
  ibv_mr* region = nullptr;
  std::vector<ibv_wc> completions;
};

struct Costs {
  double post;
  double poll;
};

Costs Measure(End& from, std::vector<ibv_send_wr>& requests, double for_ns) {
  const int batch = static_cast<int>(requests.size());
  const int calls = kRequests / batch;
  double post = 0;
  double poll = 0;
  long done = 0;
  while (post + poll < for_ns) {
    ibv_send_wr* bad = nullptr;
    const double began = ProcessorNs();
    for (int call = 0; call < calls; ++call) {
      Check("ibv_post_send", ibv_post_send(from.id->qp, requests.data(), &bad) == 0);
    }
    const double posted = ProcessorNs();
    // The first one has the other end do its part, and finds nothing yet.
    Check("an empty poll", ibv_poll_cq(from.queue, batch, from.completions.data()) == 0);
    const double answered = ProcessorNs();
    for (int call = 0; call < calls; ++call) {
      Check("ibv_poll_cq", ibv_poll_cq(from.queue, batch, from.completions.data()) == batch);
    }
    post += posted - began;
    poll += ProcessorNs() - answered;
    done += calls * batch;
  }
  return {post / static_cast<double>(done), poll / static_cast<double>(done)};
}

}  // namespace

int main(int argc, char** argv) {
  const int batch = argc > 1 ? std::atoi(argv[1]) : 1;
  if (batch < 1 || batch > kRequests) return 2;
  rdma_event_channel* channel = rdma_create_event_channel();
  rdma_cm_id* listener = nullptr;
  rdma_cm_id* client = nullptr;
  Check("rdma_create_id", rdma_create_id(channel, &listener, nullptr, RDMA_PS_TCP) == 0 &&
                              rdma_create_id(channel, &client, nullptr, RDMA_PS_TCP) == 0);
  sockaddr_in address = Loopback(0);
  Check("rdma_bind_addr", rdma_bind_addr(listener, reinterpret_cast<sockaddr*>(&address)) == 0);
  Check("rdma_listen", rdma_listen(listener, 1) == 0);
  Resolve(channel, client, ntohs(listener->route.addr.src_sin.sin_port));
  End from(client, batch);
  rdma_conn_param parameters{};
  Check("rdma_connect", rdma_connect(client, &parameters) == 0);
  rdma_cm_event* request = Await(channel, RDMA_CM_EVENT_CONNECT_REQUEST);
  End to(request->id, batch);
  rdma_ack_cm_event(request);
  Check("rdma_accept", rdma_accept(to.id, &parameters) == 0);
  Expect(channel, RDMA_CM_EVENT_ESTABLISHED);
  Expect(channel, RDMA_CM_EVENT_ESTABLISHED);

  ibv_sge element{reinterpret_cast<uint64_t>(from.region->addr), kPayloadBytes, from.region->lkey};
  std::vector<ibv_send_wr> requests(static_cast<size_t>(batch));
  for (size_t index = 0; index < requests.size(); ++index) {
    ibv_send_wr& each = requests[index];
    each = {};
    each.wr_id = index;
    each.next = index + 1 < requests.size() ? &requests[index + 1] : nullptr;
    each.sg_list = &element;
    each.num_sge = 1;
    each.opcode = IBV_WR_RDMA_WRITE;
    each.send_flags = IBV_SEND_SIGNALED;
    each.wr.rdma = {reinterpret_cast<uint64_t>(to.region->addr), to.region->rkey};
  }
  // The device looks once at a queue pair that was just connected.
  Check("a poll before all", ibv_poll_cq(from.queue, batch, from.completions.data()) == 0);
  Measure(from, requests, kWarmupNs);
  const Costs costs = Measure(from, requests, kMeasureNs);
  std::printf("{\"post\":%.2f,\"poll\":%.2f}\n", costs.post, costs.poll);
  return 0;
}
