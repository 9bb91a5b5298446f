/** The machines for which @netts/verbs brings its addon, each with its folder below prebuilds/. */

/** The oldest glibc that the addon runs with: what the binaries of Node.js 20 themselves need. */
export const OLDEST_GLIBC = '2.28'

/** By folder: Node's name of the architecture, the ELF header's, and the compiler's name of the whole target. */
export const TARGETS = {
  'linux-x64': { arch: 'x64', elf: 'X86-64', compiler: `x86_64-linux-gnu.${OLDEST_GLIBC}` },
  'linux-x64-musl': { arch: 'x64', elf: 'X86-64', compiler: 'x86_64-linux-musl' },
  'linux-arm64': { arch: 'arm64', elf: 'AArch64', compiler: `aarch64-linux-gnu.${OLDEST_GLIBC}` },
  'linux-arm64-musl': { arch: 'arm64', elf: 'AArch64', compiler: 'aarch64-linux-musl' },
}
