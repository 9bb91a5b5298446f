/**
 * A replicated store: what most replicas have counts (the algorithm of Attiya, Bar-Noy and Dolev), so that values can
 * be read and written while fewer than half of the replicas are down.
 */
import { randomUUID } from 'node:crypto'
import type { Address } from '@netts/core'
import { createPool } from '@netts/pool'
import { tcp } from '@netts/tcp'
import { createCaller } from '../rpc/caller.js'
import { isNewer, NOTHING, type Versioned } from './versions.js'

/** Reads and writes values on the replicas. */
export interface Store {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  close(): Promise<void>
}

/** @param replicas their addresses, always the same ones */
export function openStore(replicas: readonly Address[]): Store {
  const writer = randomUUID()
  const majority = Math.floor(replicas.length / 2) + 1
  // A pool for each replica, as each has to be asked. Calls share a connection, and a lost one is opened again.
  const pools = replicas.map((address) =>
    createPool({
      builder: tcp(),
      endpoints: [address],
      mode: 'share',
      max: 2,
      exhausted: 'wait',
      acquireTimeoutMs: 1000,
      prepare: createCaller,
    }),
  )

  /** The answers of the first replicas that are a majority. Rejects when too many fail. */
  async function ask(method: string, argument: unknown): Promise<unknown[]> {
    const answers: unknown[] = []
    const failures: unknown[] = []
    return new Promise((resolve, reject) => {
      for (const pool of pools) {
        pool
          .use(({ session }) => session.call(method, argument, { timeoutMs: 1000 }))
          .then(
            (answer) => answers.push(answer) === majority && resolve(answers.slice()),
            (error) =>
              failures.push(error) > pools.length - majority &&
              reject(new AggregateError(failures, `fewer than ${majority} replicas answer`)),
          )
      }
    })
  }

  async function newest(key: string): Promise<Versioned> {
    const found = (await ask('get', key)) as Versioned[]
    return found.reduce((a, b) => (isNewer(b, a) ? b : a), NOTHING)
  }

  return {
    async get(key) {
      const versioned = await newest(key)
      // Who reads later must not find an older value: a majority has this one before it is returned.
      if (versioned.version > 0) await ask('put', { key, versioned })
      return versioned.value
    },
    async put(key, value) {
      const { version } = await newest(key)
      await ask('put', { key, versioned: { value, version: version + 1, writer } })
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()))
    },
  }
}
