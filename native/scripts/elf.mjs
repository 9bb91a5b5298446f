/** What a compiled addon asks for, as binutils tell it, and what of that may not be. */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { OLDEST_GLIBC } from './targets.mjs'

/** The newest Node-API that every supported Node.js has; `NAPI_VERSION` of binding.gyp. */
const NODE_API = 8
const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
const LIBRARIES = {
  glibc: /^(lib(c|m|dl|pthread|rt)\.so\.\d+|ld-linux-[\w-]+\.so\.\d+)$/,
  musl: /^libc\.so$/,
}

/** Symbols that the C runtime asks for weakly, and that may be missing. */
const OPTIONAL = /^(_ITM_|__gmon_start__|__cxa_finalize|__cxa_thread_atexit_impl)/

/** By the name of a function of Node-API, the version that brought it. */
const nodeApiVersions = new Map(
  Object.entries(createRequire(import.meta.url)('node-api-headers').symbols)
    .reverse()
    .flatMap(([version, { js_native_api_symbols: js, node_api_symbols: node }]) =>
      [...js, ...node].map((symbol) => [symbol, Number(version.slice(1))]),
    ),
)

const read = (program, ...args) =>
  execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })

const newest = (versions) => versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)

/** @returns what the file is and asks for */
export function inspect(file) {
  const undefinedSymbols = read('nm', '--undefined-only', '--dynamic', file)
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' ').at(-1))
  const names = undefinedSymbols.map((symbol) => symbol.split('@')[0])
  const nodeApi = names.filter((name) => /^(napi|node_api)_/.test(name))
  const dynamic = read('readelf', '--dynamic', file)
  return {
    machine: /Machine:\s+(.*)/.exec(read('readelf', '--file-header', file))?.[1] ?? 'unknown',
    libraries: [...dynamic.matchAll(/\(NEEDED\)[^[]*\[(.*)\]/g)].map((match) => match[1]),
    staysLoaded: /\(FLAGS_1\).*NODELETE/.test(dynamic),
    newestGlibc: newest(undefinedSymbols.flatMap((symbol) => /@GLIBC_([\d.]+)$/.exec(symbol)?.[1] ?? [])),
    /** Those that the dynamic linker takes from whichever program loads the addon. */
    unversioned: undefinedSymbols.filter((symbol) => !symbol.includes('@')),
    rdma: names.filter((name) => /^(ibv|rdma)_/.test(name)),
    unknownNodeApi: nodeApi.filter((name) => !nodeApiVersions.has(name)),
    nodeApi: Math.max(0, ...nodeApi.map((name) => nodeApiVersions.get(name) ?? 0)),
    exports: read('nm', '--defined-only', '--dynamic', file)
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1)),
  }
}

/**
 * @param found what {@link inspect} said
 * @param target an entry of `TARGETS`
 * @returns a sentence for each thing that is wrong
 */
export function violations(found, target) {
  const musl = target.compiler.endsWith('musl')
  const wrong = []
  if (!found.machine.includes(target.elf)) wrong.push(`it is for ${found.machine}, not for ${target.elf}`)
  const allowed = musl ? LIBRARIES.musl : LIBRARIES.glibc
  for (const library of found.libraries)
    if (!allowed.test(library)) wrong.push(`it needs the library ${library}`)
  const { newestGlibc } = found
  if (musl !== (newestGlibc === undefined))
    wrong.push(musl ? 'it is built for glibc' : 'it is not built for glibc')
  else if (!musl && newest([newestGlibc, OLDEST_GLIBC]) !== OLDEST_GLIBC)
    wrong.push(`it needs glibc ${newestGlibc}, and may need ${OLDEST_GLIBC} at most`)
  if (found.rdma.length > 0) wrong.push(`it cannot be loaded without rdma-core: ${found.rdma.join(', ')}`)
  if (found.unknownNodeApi.length > 0) wrong.push(`no stable Node-API has ${found.unknownNodeApi.join(', ')}`)
  if (found.nodeApi === 0) wrong.push('it is no addon: it calls nothing of Node-API')
  if (found.nodeApi > NODE_API)
    wrong.push(`it needs Node-API ${found.nodeApi}, and may need ${NODE_API} at most`)
  // A symbol of musl's has no version: whether it exists is seen by loading the file.
  const strange = found.unversioned.filter(
    (symbol) => !/^(napi|node_api|uv)_/.test(symbol) && !OPTIONAL.test(symbol),
  )
  if (!musl && strange.length > 0) wrong.push(`nothing offers ${strange.join(', ')}`)
  if (!found.staysLoaded)
    wrong.push('it may be unloaded while libuv still calls it: link it with -z nodelete')
  const missing = EXPORTS.filter((name) => !found.exports.includes(name))
  if (missing.length > 0) wrong.push(`it does not export ${missing.join(', ')}`)
  const surplus = found.exports.filter((name) => !EXPORTS.includes(name))
  if (surplus.length > 0) wrong.push(`it exports ${surplus.length} symbols too many, such as ${surplus[0]}`)
  return wrong
}
