// What the device says it can do at most.
#pragma once

namespace loopback {

constexpr int kMaxWorkRequests = 32768;
constexpr int kMaxCompletions = 1 << 20;
constexpr int kMaxElements = 16;
constexpr int kMaxReads = 128;
constexpr unsigned kMaxInlineBytes = 512;

}  // namespace loopback
