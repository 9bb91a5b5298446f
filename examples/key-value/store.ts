/**
 * A replicated store: each read and write needs a majority of the replicas (the algorithm of Attiya, Bar-Noy and Dolev), so
 * that it works while fewer than half of them are down.
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

/** Opens a store. @param replicas the addresses of all replicas, the same for every client */
export function openStore(replicas: readonly Address[]): Store {
  const writer = randomUUID()
  const majority = Math.floor(replicas.length / 2) + 1
  // One pool for each replica, since every replica is asked. Calls share a connection; a lost one is replaced.
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

  /** Asks every replica. Resolves to the answers of the first majority; rejects when too many fail. */
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
      // A majority must have this value before it is returned, so that a later read does not find an older one.
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
