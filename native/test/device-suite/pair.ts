/** Two connected queue pairs, and what belongs to them. */
import assert from 'node:assert/strict'
import type { CmId, ConnectionParameters } from '../../lib/verbs/cm.js'
import type { CompletionChannel } from '../../lib/verbs/completion-queue.js'
import type { Device } from '../../lib/verbs/device.js'
import { AccessFlag } from '../../lib/verbs/layout.js'
import type { MemoryRegion, ProtectionDomain } from '../../lib/verbs/protection-domain.js'
import type { QueuePair, QueuePairOptions } from '../../lib/verbs/queue-pair.js'
import {
  type ReceiveWorkRequest,
  type SendWorkRequest,
  writeReceive,
  writeSend,
} from '../../lib/verbs/records.js'
import type { Verbs } from '../../lib/verbs/verbs.js'
import { type Bench, CompletionLog, EventLog } from './bench.js'

const REGION_BYTES = 64 * 1024
const RESOLVE_TIMEOUT_MS = 5_000

/** How {@link connectPair} makes each end. */
export interface EndOptions {
  readonly access?: number
  readonly maxCompletions?: number
  readonly batch?: number
  /** @default one of its own */
  readonly protectionDomain?: ProtectionDomain
  readonly queuePair?: Partial<QueuePairOptions>
}

/** Options of {@link connectPair}. */
export interface PairOptions {
  readonly client?: EndOptions
  readonly server?: EndOptions
  readonly connect?: ConnectionParameters
  readonly accept?: ConnectionParameters
  readonly ackTimeout?: number
  /** Runs on the server's end before it accepts. */
  readonly beforeAccept?: (end: End) => void
  /** Runs on the client's end before it connects. */
  readonly beforeConnect?: (end: End) => void
}

/** One end of a connection, with memory and a completion queue of its own. */
export class End {
  readonly verbs: Verbs
  readonly id: CmId
  readonly events: EventLog
  readonly device: Device
  readonly protectionDomain: ProtectionDomain
  readonly channel: CompletionChannel
  readonly completions: CompletionLog
  readonly region: MemoryRegion
  readonly queuePair: QueuePair
  readonly #sharesDomain: boolean

  constructor(verbs: Verbs, events: EventLog, options: EndOptions = {}) {
    const device = events.id.device
    assert(device, 'the device is known by now')
    this.verbs = verbs
    this.id = events.id
    this.events = events
    this.device = device
    this.#sharesDomain = options.protectionDomain !== undefined
    this.protectionDomain = options.protectionDomain ?? device.allocateProtectionDomain()
    this.channel = device.createCompletionChannel()
    this.channel.ref()
    this.completions = new CompletionLog(
      this.channel.createCompletionQueue({
        maxCompletions: options.maxCompletions ?? 128,
        ...(options.batch !== undefined && { batch: options.batch }),
      }),
    )
    this.region = this.protectionDomain.registerRegion({
      byteLength: REGION_BYTES,
      access: options.access ?? AccessFlag.localWrite,
    })
    this.queuePair = this.id.createQueuePair({
      protectionDomain: this.protectionDomain,
      sendCompletionQueue: this.completions.queue,
      maxSendWorkRequests: 32,
      ...(options.queuePair?.sharedReceiveQueue ? {} : { maxReceiveWorkRequests: 32 }),
      maxSendEntries: 2,
      maxReceiveEntries: 2,
      ...options.queuePair,
    })
  }

  /** Writes and posts these sends in one batch. */
  send(...requests: SendWorkRequest[]): void {
    for (const [index, request] of requests.entries()) writeSend(this.queuePair, index, request)
    assert.equal(this.queuePair.postSend(requests.length), requests.length)
  }

  /** Writes one send and posts it if there is room. @returns how many were posted: 1 or 0 */
  tryPost(request: SendWorkRequest): number {
    writeSend(this.queuePair, 0, request)
    return this.queuePair.postSend(1)
  }

  /** Writes and posts these receives in one batch. */
  receive(...requests: ReceiveWorkRequest[]): void {
    for (const [index, request] of requests.entries()) writeReceive(this.queuePair, index, request)
    assert.equal(this.queuePair.postReceive(requests.length), requests.length)
  }

  /** Fills part of the region with bytes that depend on `seed`. */
  fill(byteOffset: number, byteLength: number, seed: number): Uint8Array {
    const bytes = this.region.bytes.subarray(byteOffset, byteOffset + byteLength)
    for (let at = 0; at < byteLength; at++) bytes[at] = (seed * 31 + at * 7) & 0xff
    return bytes.slice()
  }

  /** Part of the region, copied. */
  bytes(byteOffset: number, byteLength: number): Uint8Array {
    return this.region.bytes.slice(byteOffset, byteOffset + byteLength)
  }

  close(): void {
    this.queuePair.close()
    this.completions.queue.close()
    this.channel.close()
    this.region.close()
    this.id.close()
    if (!this.#sharesDomain) this.protectionDomain.close()
  }
}

/** Two connected ends. */
export interface Pair {
  readonly client: End
  readonly server: End
  /** What the server saw of the client's request, and the client of the server's answer. */
  readonly requestData: Uint8Array
  readonly replyData: Uint8Array
  close(): void
}

/** A listening id at a free port of the server. */
export function listen(bench: Bench, backlog = 16): EventLog {
  const listener = bench.server.createCmId()
  const events = new EventLog(listener)
  listener.bindAddress({ host: bench.serverHost, port: 0 })
  listener.listen(backlog)
  return events
}

/** Resolves the server's address from a new id. */
export async function resolve(bench: Bench, port: number, ackTimeout?: number): Promise<EventLog> {
  const id = bench.client.createCmId()
  const events = new EventLog(id)
  id.resolveAddress({ destination: { host: bench.serverHost, port }, timeoutMs: RESOLVE_TIMEOUT_MS })
  await events.expect('address-resolved')
  if (ackTimeout !== undefined) id.setAckTimeout(ackTimeout)
  id.resolveRoute(RESOLVE_TIMEOUT_MS)
  await events.expect('route-resolved')
  return events
}

/** Connects two ends over a listener of their own, or the one given. */
export async function connectPair(
  bench: Bench,
  options: PairOptions = {},
  listener?: EventLog,
): Promise<Pair> {
  const listening = listener ?? listen(bench)
  const { port } = listening.id.localAddress ?? { port: 0 }
  const client = new End(bench.client, await resolve(bench, port, options.ackTimeout), options.client)
  options.beforeConnect?.(client)
  client.id.connect(options.connect)
  const request = await listening.expect('connect-request')
  if (options.ackTimeout !== undefined) request.id.setAckTimeout(options.ackTimeout)
  const server = new End(bench.server, new EventLog(request.id), options.server)
  options.beforeAccept?.(server)
  server.id.accept(options.accept)
  const reply = await client.events.expect('established')
  await server.events.expect('established')
  if (!listener) listening.id.close()
  return {
    client,
    server,
    requestData: request.privateData,
    replyData: reply.privateData,
    close() {
      client.close()
      server.close()
    },
  }
}
