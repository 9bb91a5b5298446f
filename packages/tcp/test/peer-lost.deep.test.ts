/** A host that is gone without a word: keepalive notices, on both sides. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// A network namespace of its own, whose loopback interface can be taken down.
const unshare = ['unshare', '--map-root-user', '--net'] as const
const canUnshare = spawnSync(unshare[0], [...unshare.slice(1), 'ip', 'link', 'set', 'lo', 'up']).status === 0

it.skipIf(!canUnshare)(
  `an idle peer whose network is gone is lost after the keepalive${canUnshare ? '' : ' (no network namespaces here)'}`,
  () => {
    const script = fileURLToPath(new URL('peer-lost.ts', import.meta.url))
    const { stdout, stderr, status } = spawnSync(
      unshare[0],
      [...unshare.slice(1), process.execPath, '--conditions=@netts/source', '--import', 'tsx', script],
      { encoding: 'utf8', timeout: 60_000 },
    )
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(JSON.parse(stdout)).toEqual([
      { code: 'ERR_NETTS_PEER_LOST', cause: 'ETIMEDOUT' },
      { code: 'ERR_NETTS_PEER_LOST', cause: 'ETIMEDOUT' },
    ])
  },
)
