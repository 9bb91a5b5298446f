# It lies beside the sources, not in the package's root: there npm and pnpm would run node-gyp on install.
{
  'variables': { 'sanitize%': 0 },
  'target_defaults': {
    'cflags_cc!': ['-fno-exceptions', '-std=gnu++17'],
    'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-fvisibility=hidden', '-fvisibility-inlines-hidden'],
    # Nothing of a C++ library that is linked in may be taken for that of Node.js, nor the other way round.
    # Node.js closes an addon with the last thread that used it, and libuv and the addon's own threads may still call it:
    # it stays loaded.
    'ldflags': ['-Wl,-Bsymbolic', '-Wl,--version-script=../exports.map', '-Wl,-z,nodelete'],
    'conditions': [
      ['sanitize==1', {
        'cflags_cc': ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer', '-g'],
        'cflags_cc!': ['-fno-rtti'],
        'ldflags': ['-fsanitize=address,undefined'],
      }],
    ],
  },
  'conditions': [
    ['sanitize==1', {
      'targets': [{ 'target_name': 'fault', 'sources': ['sanitizer-check/fault.cc'] }],
    }],
  ],
  'targets': [
    {
      'target_name': 'netts_verbs',
      'sources': [
        'addon.cc',
        'env_state.cc',
        'layout.cc',
        'posting.cc',
        'resource.cc',
        'connection/blocking_connect.cc',
        'connection/cm_channel.cc',
        'connection/cm_functions.cc',
        'connection/cm_id.cc',
        'loader/probe.cc',
        'loader/verbs_api.cc',
        'objects/async_events.cc',
        'objects/completion_channel.cc',
        'objects/completion_queue.cc',
        'objects/context.cc',
        'objects/device_attributes.cc',
        'objects/memory_region.cc',
        'objects/memory_window.cc',
        'objects/protection_domain.cc',
        'objects/queue_pair.cc',
        'objects/shared_receive_queue.cc',
        'objects/siw_key_guard.cc',
        'util/errors.cc',
        'util/poll_handle.cc',
        'util/shared_memory.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # Without the third, a C++ exception that cannot become a JavaScript one, because the worker is being terminated
      # in the midst of the call, ends the process. Without the fourth, any other than Napi::Error does, such as
      # std::bad_alloc.
      'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
                  'NODE_ADDON_API_CPP_EXCEPTIONS_ALL', '_FILE_OFFSET_BITS=64'],
    },
  ],
}
