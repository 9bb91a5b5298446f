// What connection managers say to each other over a Unix socket, one message a packet.
#pragma once

#include <rdma/rdma_cma.h>
#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include "../base/file_descriptor.h"

namespace loopback {

enum class MessageType : uint32_t {
  kRequest,     // with the wire, the mailbox and the timer of who asks
  kReply,       // with the mailbox and the timer of who accepts
  kReady,       // the reply came
  kReject,
  kDisconnect,
};

// How much private data each has room for, as on InfiniBand, where it is padded to that.
constexpr uint8_t kRequestDataBytes = 56;
constexpr uint8_t kReplyDataBytes = 196;
constexpr uint8_t kRejectDataBytes = 148;

struct Message {
  MessageType type;
  // Of the sender.
  uint32_t queue_pair_index;
  uint64_t host_number;
  sockaddr_storage source;
  sockaddr_storage destination;
  uint8_t responder_resources;
  uint8_t initiator_depth;
  uint8_t retry_count;
  uint8_t data[kReplyDataBytes];
};

// With the private data and the numbers of the parameters; nullptr: none.
Message MessageOf(MessageType type, const rdma_conn_param* parameters);

// False when the peer is gone.
bool SendMessage(int socket, const Message& message, const std::vector<int>& descriptors);

enum class Received { kMessage, kNothing, kEnd };
Received ReceiveMessage(int socket, Message* message, std::vector<FileDescriptor>* descriptors);

}  // namespace loopback
