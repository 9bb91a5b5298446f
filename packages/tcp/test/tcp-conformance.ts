/** The suite that every driver passes, over each kind of address. */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConformanceFixture, transportConformance } from '@netts/conformance'
import type { Address } from '@netts/core'
import { describe, it } from 'vitest'
import { tcp } from '../src/index.js'
import { silentAddress, startCrashablePeer } from './processes.js'

interface TcpFixture extends ConformanceFixture {
  readonly disposals: (() => void | Promise<void>)[]
}

let paths = 0

function unixPath(disposals: TcpFixture['disposals']): Address {
  const path = join(tmpdir(), `netts-conformance-${process.pid}-${paths++}`)
  disposals.push(() => rmSync(path, { force: true }))
  return { path }
}

/** @param host undefined for a Unix domain socket */
export function tcpConformance(name: string, host: string | undefined): void {
  transportConformance({
    name,
    capabilities: { detectsPeerCrash: false, reset: host !== undefined },
    setup(): TcpFixture {
      const disposals: TcpFixture['disposals'] = []
      return {
        builder: tcp(),
        disposals,
        listenAddress: () => (host === undefined ? unixPath(disposals) : { host, port: 0 }),
        async silentAddress() {
          const { address, close } = await silentAddress()
          disposals.push(close)
          return address
        },
        async startCrashablePeer(task) {
          const peer = await startCrashablePeer(task)
          disposals.push(() => peer.close())
          return peer
        },
      }
    },
    async teardown(fixture) {
      for (const dispose of (fixture as TcpFixture).disposals.reverse()) await dispose()
    },
    describe,
    it,
  })
}
