#include "poll_handle.h"

#include <type_traits>
#include <utility>

namespace netts {

PollHandle::PollHandle(uv_loop_t* loop, int fd, std::function<void()> on_readable) {
  auto* watched = new Watched{{}, std::move(on_readable)};
  status_ = uv_poll_init(loop, &watched->handle, fd);
  if (status_ != 0) {
    delete watched;
    return;
  }
  watched_ = watched;
  watched->handle.data = watched;
  // The handle does not keep the process alive until Ref() is called.
  uv_unref(reinterpret_cast<uv_handle_t*>(&watched->handle));
  status_ = uv_poll_start(&watched->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    // An error status is no different from readiness: the next read of the descriptor reports it. The
    // callback is copied, because it may destroy the object it belongs to.
    auto callback = static_cast<Watched*>(handle->data)->on_readable;
    callback();
  });
}

PollHandle::~PollHandle() {
  if (watched_ == nullptr) return;
  uv_poll_stop(&watched_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&watched_->handle),
           [](uv_handle_t* handle) { delete static_cast<Watched*>(handle->data); });
}

void PollHandle::Ref() {
  if (watched_ != nullptr) uv_ref(reinterpret_cast<uv_handle_t*>(&watched_->handle));
}

void PollHandle::Unref() {
  if (watched_ != nullptr) uv_unref(reinterpret_cast<uv_handle_t*>(&watched_->handle));
}

static_assert(!std::is_copy_constructible_v<PollHandle>);

}  // namespace netts
