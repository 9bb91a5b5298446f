/** A driver as small as can be, to test endpoints with. */
import assert from 'node:assert/strict'
import { type HostAddress, NettsError } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import type { Polling } from '../../lib/endpoint/completion-loop.js'
import type { Endpoint, EndpointOptions, EndpointSession } from '../../lib/endpoint/endpoint-session.js'
import { type EndpointListenerOptions, listenEndpoints } from '../../lib/endpoint/listener.js'
import { kindOf, slotOf, workRequestIdLow } from '../../lib/endpoint/work-request-id.js'
import { COMPLETION, CompletionStatus, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { writeReceive, writeSend } from '../../lib/verbs/records.js'
import type { Verbs } from '../../lib/verbs/verbs.js'

const SLOTS = 4
const SLOT_BYTES = 64
const RECEIVE = 1
const SEND = 2

/** A driver as small as can be: messages of up to 64 bytes, four at a time. */
export class Messenger implements EndpointSession {
  readonly endpoint: Endpoint
  readonly received: string[] = []
  readonly calls: string[] = []
  readonly closed: Promise<void>
  end: NettsError | undefined
  peerHello = ''
  onMessage: (() => void) | undefined
  readonly #pool
  readonly #receives: BufferSlot[] = []
  readonly #sends: BufferSlot[] = []
  #acknowledged = 0
  #resolveClosed!: () => void

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#pool = endpoint.environment.createBufferPool({
      classes: [{ byteLength: SLOT_BYTES, count: 2 * SLOTS }],
      slabByteLength: 4096,
    })
    for (let slot = 0; slot < SLOTS; slot++) {
      this.#receives.push(takeSlot(this.#pool.alloc(SLOT_BYTES)))
      this.#sends.push(takeSlot(this.#pool.alloc(SLOT_BYTES)))
      this.#postReceive(slot)
    }
  }

  #range({ slab, byteOffset }: BufferSlot, byteLength: number) {
    return { region: this.endpoint.environment.regionOf(slab), byteOffset, byteLength }
  }

  #postReceive(slot: number): void {
    writeReceive(this.endpoint.queuePair, 0, {
      id: BigInt(workRequestIdLow(RECEIVE, slot)),
      entries: [this.#range(this.#receives[slot]!, SLOT_BYTES)],
    })
    this.endpoint.queuePair.postReceive(1)
  }

  send(text: string): void {
    const slot = this.#sends.findIndex((candidate) => candidate !== undefined)
    const { slab, byteOffset } = this.#sends[slot]!
    const bytes = new TextEncoder().encode(text)
    slab.set(bytes, byteOffset)
    writeSend(this.endpoint.queuePair, 0, {
      id: BigInt(workRequestIdLow(SEND, slot)),
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [this.#range(this.#sends[slot]!, bytes.byteLength)],
    })
    assert.equal(this.endpoint.queuePair.postSend(1), 1)
    this.endpoint.posted()
  }

  hello(): Uint8Array {
    this.calls.push('hello')
    return new TextEncoder().encode(this.endpoint.role)
  }

  onHello(body: Uint8Array): void {
    this.calls.push('onHello')
    this.peerHello = new TextDecoder().decode(body)
    if (this.peerHello === 'unwelcome') throw new NettsError('ERR_NETTS_PROTOCOL', 'I do not like you')
  }

  ready(): Uint8Array {
    this.calls.push('ready')
    return new Uint8Array([1, 2, 3])
  }

  onReady(body: Uint8Array): void {
    this.calls.push('onReady')
    assert.deepEqual([...body], [1, 2, 3])
  }

  onOpen(): void {
    this.calls.push('onOpen')
  }

  onCompletion(words: Uint32Array, at: number): void {
    const id = words[at + COMPLETION.idLow]!
    if (words[at + COMPLETION.status] !== CompletionStatus.success) return
    if (kindOf(id) === SEND) {
      this.#acknowledged++
      return
    }
    const slot = slotOf(id)
    const { slab, byteOffset } = this.#receives[slot]!
    const bytes = slab.subarray(byteOffset, byteOffset + words[at + COMPLETION.byteLength]!)
    this.received.push(new TextDecoder().decode(bytes))
    this.#postReceive(slot)
  }

  onBatchEnd(): void {
    this.onMessage?.()
  }

  onEnd(error: NettsError): void {
    this.calls.push('onEnd')
    this.end = error
  }

  onDrained(): void {
    this.calls.push('onDrained')
  }

  onClosed(): void {
    this.calls.push('onClosed')
    for (const slot of [...this.#receives, ...this.#sends]) slot.free()
    this.#pool.close()
    this.#resolveClosed()
  }

  /** Waits for the first `count` messages. */
  async messages(count: number): Promise<string[]> {
    while (this.received.length < count) await this.#nextBatch()
    return this.received.slice(0, count)
  }

  /** Waits until `count` of its own messages were acknowledged. */
  async acknowledged(count: number): Promise<void> {
    while (this.#acknowledged < count) await this.#nextBatch()
  }

  #nextBatch(): Promise<void> {
    return new Promise((resolve) => {
      this.onMessage = resolve
    })
  }
}

/** Endpoints that carry a {@link Messenger}. */
export function messengerOptions(polling: Polling): EndpointOptions {
  return {
    identity: { driver: 200, version: 1 },
    polling: { polling, adaptiveMicroseconds: 20, spinMicroseconds: 0 },
    maxSendWorkRequests: SLOTS,
    maxReceiveWorkRequests: SLOTS,
    maxSendEntries: 1,
    maxReceiveEntries: 1,
    maxInlineBytes: 0,
    maxReads: 1,
    keepAliveIntervalMs: 1000,
    keepAliveTimeoutMs: 3000,
    openSession: (endpoint) => new Messenger(endpoint),
  }
}

/** The session of an endpoint made with {@link messengerOptions}. */
export function messengerOf(endpoint: Endpoint): Messenger {
  assert(endpoint.session instanceof Messenger)
  return endpoint.session
}

/** A listener that hands out what it accepted. @param at an address, or a host with a port that is chosen */
export function listenForMessengers(
  verbs: Verbs,
  at: HostAddress | string,
  endpoint: EndpointOptions,
  more: Partial<EndpointListenerOptions> = {},
) {
  const accepted: Endpoint[] = []
  const waiting: ((endpoint: Endpoint) => void)[] = []
  const failures: NettsError[] = []
  const listener = listenEndpoints(verbs, typeof at === 'string' ? { host: at, port: 0 } : at, {
    endpoint,
    backlog: 10,
    hasRoom: (handshakes) => handshakes < 10,
    onEndpoint(made) {
      const waiter = waiting.shift()
      if (waiter) waiter(made)
      else accepted.push(made)
    },
    onFailure() {},
    onHandshakeFailure: (error) => failures.push(error),
    ...more,
  })
  return {
    listener,
    address: listener.address,
    failures,
    accept: async () => accepted.shift() ?? new Promise<Endpoint>((resolve) => waiting.push(resolve)),
  }
}

/** Waits until these have torn down what was going. */
export async function settled(...all: Verbs[]): Promise<void> {
  for (const verbs of all) {
    while (verbs.counts.queuePairs > 0) {
      await new Promise<void>((resolve) => verbs.clock.setImmediate(resolve))
    }
  }
}
