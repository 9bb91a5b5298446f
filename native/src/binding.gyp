# It lies beside the sources, not in the package's root: there npm and pnpm would run node-gyp on install.
{
  'targets': [
    {
      'target_name': 'netts_verbs',
      'sources': [
        'addon.cc',
        'env_state.cc',
        'resource.cc',
        'loader/probe.cc',
        'loader/verbs_api.cc',
        'objects/context.cc',
        'objects/device_attributes.cc',
        'util/poll_handle.cc',
        'util/system_error.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS', '_FILE_OFFSET_BITS=64'],
      'cflags_cc!': ['-fno-exceptions', '-std=gnu++17'],
      'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-fvisibility=hidden', '-fvisibility-inlines-hidden'],
      'ldflags': ['-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL'],
    },
  ],
}
