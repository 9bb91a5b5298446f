#include "message.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace loopback {
namespace {

constexpr size_t kMaxDescriptors = 3;

}  // namespace

Message MessageOf(MessageType type, const rdma_conn_param* parameters) {
  Message message{};
  message.type = type;
  if (parameters == nullptr) return message;
  message.responder_resources = parameters->responder_resources;
  message.initiator_depth = parameters->initiator_depth;
  message.retry_count = parameters->retry_count;
  const auto* data = static_cast<const uint8_t*>(parameters->private_data);
  if (data != nullptr) std::copy_n(data, std::min(parameters->private_data_len, kReplyDataBytes), message.data);
  return message;
}

bool SendMessage(int socket, const Message& message, const std::vector<int>& descriptors) {
  iovec part{const_cast<Message*>(&message), sizeof(message)};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const size_t byte_length = descriptors.size() * sizeof(int);
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(byte_length);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(byte_length);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), byte_length);
  }
  return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(sizeof(message));
}

Received ReceiveMessage(int socket, Message* message, std::vector<FileDescriptor>* descriptors) {
  iovec part{message, sizeof(*message)};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  const ssize_t count = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Received::kNothing;
  for (cmsghdr* rights = CMSG_FIRSTHDR(&header); count > 0 && rights != nullptr; rights = CMSG_NXTHDR(&header, rights)) {
    if (rights->cmsg_type != SCM_RIGHTS) continue;
    const size_t byte_length = rights->cmsg_len - CMSG_LEN(0);
    for (size_t at = 0; at < byte_length; at += sizeof(int)) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(rights) + at, sizeof(fd));
      descriptors->emplace_back(fd);
    }
  }
  // A peer of another build is as good as none.
  return count == static_cast<ssize_t>(sizeof(*message)) ? Received::kMessage : Received::kEnd;
}

}  // namespace loopback
