/** Connections that end at any moment: every operation settles once, nothing is invented, nothing is held. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBufferPool } from '../buffer-pool/create-buffer-pool.js'
import { isNettsError } from '../errors.js'
import { connectionPair, expectNothingHeld, settle } from '../test-support/connection-pair.js'
import type { Connection, MessageLease } from './connection.js'

const action = fc.record({
  by: fc.constantFrom(0, 1),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('send', 'sendPooled', 'trySend') },
    { weight: 6, arbitrary: fc.constantFrom('recv', 'recvLease', 'release') },
    { weight: 4, arbitrary: fc.constantFrom('turn', 'abort', 'flush') },
    { weight: 1, arbitrary: fc.constantFrom('finish', 'close', 'destroy') },
  ),
  size: fc.oneof(fc.integer({ min: 4, max: 50 }), fc.integer({ min: 4, max: 9000 })),
})

/** One side: what it asked for, and what came of it. */
class Side {
  readonly connection: Connection
  readonly controllers: AbortController[] = []
  readonly leases: MessageLease[] = []
  readonly received: number[] = []
  /** By message number: whether its send was accepted; `undefined` while it waits. */
  readonly accepted: (boolean | undefined)[] = []
  started = 0
  settled = 0

  constructor(connection: Connection) {
    this.connection = connection
  }

  message(size: number): Buffer {
    const bytes = Buffer.alloc(size, this.accepted.length)
    bytes.writeUInt32BE(this.accepted.push(undefined) - 1)
    return bytes
  }

  /** Follows a promise to its end, which comes once. */
  follow<T>(promise: Promise<T>, then: (value: T | undefined) => void): void {
    this.started++
    promise.then(
      (value) => {
        this.settled++
        then(value)
      },
      (error) => {
        this.settled++
        expect(isNettsError(error)).toBe(true)
        then(undefined)
      },
    )
  }

  sending(promise: Promise<void>): void {
    const number = this.accepted.length - 1
    let isAccepted = true
    this.follow(
      promise.catch((error) => {
        isAccepted = false
        throw error
      }),
      () => {
        this.accepted[number] = isAccepted
      },
    )
  }

  signal(): AbortSignal {
    const controller = new AbortController()
    this.controllers.push(controller)
    return controller.signal
  }

  act(kind: string, size: number): void {
    const { connection } = this
    try {
      if (kind === 'send') this.sending(connection.send(this.message(size), { signal: this.signal() }))
      if (kind === 'sendPooled') {
        const buffer = connection.alloc(size)
        buffer.bytes.set(this.message(size))
        this.sending(connection.send(buffer, { signal: this.signal() }))
      }
      if (kind === 'trySend') {
        const message = this.message(size)
        this.accepted[this.accepted.length - 1] = false
        this.accepted[this.accepted.length - 1] = connection.trySend(message)
      }
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/CLOSED|RESET|DESTROYED|EXHAUSTED/) })
    }
    if (kind === 'recv') {
      this.follow(connection.recv({ signal: this.signal() }), (message) => {
        if (message) this.received.push(message.readUInt32BE())
      })
    }
    if (kind === 'recvLease') {
      this.follow(connection.recvLease({ signal: this.signal() }), (lease) => {
        if (!lease) return
        this.received.push(Buffer.from(lease.bytes).readUInt32BE())
        this.leases.push(lease)
      })
    }
    if (kind === 'release') this.leases.splice(size % (this.leases.length + 1), 1)[0]?.release()
    if (kind === 'abort') this.controllers.splice(size % (this.controllers.length + 1), 1)[0]?.abort()
    if (kind === 'flush') this.follow(connection.flush({ signal: this.signal() }), () => {})
    if (kind === 'finish') connection.finish()
    if (kind === 'close') this.follow(connection.close(), () => {})
    if (kind === 'destroy') connection.destroy()
  }
}

describe('a connection that ends at any moment', () => {
  it('settles everything once, invents nothing, and holds nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 0, max: 6000 }),
        fc.constantFrom('close', 'destroy'),
        async (actions, spareWindow, end) => {
          const { one, two, transportOne, transportTwo } = connectionPair(
            {
              maxSendSize: 2048,
              recvWindow: 2048 + spareWindow,
              bufferPool: createBufferPool({ detectLeaks: true }),
            },
            { highWaterMark: 4000 },
          )
          const sides = [new Side(one), new Side(two)] as const
          for (const { by, kind, size } of actions) {
            if (kind === 'turn') await settle()
            else sides[by].act(kind, size)
          }
          for (const side of sides) side.act(end, 0)
          await Promise.all([one.closed, two.closed])
          await settle()
          for (const [by, side] of sides.entries()) {
            expect(side.settled).toBe(side.started)
            expect(side.accepted).not.toContain(undefined)
            const peer = sides[1 - by]!
            // In order, each once, and only what its sender was told is accepted.
            expect(side.received).toEqual([...new Set(side.received)].sort((a, b) => a - b))
            for (const number of side.received) expect(peer.accepted[number]).toBe(true)
            // And from the first one on, without a gap.
            const sent = peer.accepted.flatMap((isAccepted, number) => (isAccepted ? [number] : []))
            expect(side.received).toEqual(sent.slice(0, side.received.length))
            for (const lease of side.leases) lease.release()
          }
          expectNothingHeld(transportOne, transportTwo)
        },
      ),
      { numRuns: 200 },
    )
  })
})
