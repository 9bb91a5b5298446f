/** One side of a run: what every kind of traffic has in common. */
import type { Channel, ChannelContender, Endpoint, Wire, WireOptions } from '../../contenders/contender.js'
import type { SideSample } from '../../run/protocol.js'
import type { RunSpec } from '../../spec.js'
import { Meter } from '../meter.js'
import { MessageVerifier, Payloads, StreamVerifier, VerificationError, type Verifier } from '../payloads.js'

/** How long the last payloads may take to arrive once traffic stopped. */
const SETTLE_TIMEOUT_MS = 15_000

/** Traffic that has no latencies. */
const WITHOUT_LATENCY: readonly RunSpec['traffic'][] = ['flood', 'idle', 'quiet', 'broadcast']

/** How many connections are being made at once. */
const CONNECTING_AT_ONCE = 64

/** What a side is made of. */
export interface SideContext {
  readonly spec: RunSpec
  readonly contender: ChannelContender
  readonly wire: Wire
  /** Ends the run: wrong bytes, a broken connection. */
  fail(error: Error): void
}

/** A side, driven by the conductor's commands. */
export abstract class Side {
  protected readonly context: SideContext
  protected readonly spec: RunSpec
  protected readonly payloads: Payloads
  protected readonly meter: Meter

  constructor(context: SideContext) {
    this.context = context
    this.spec = context.spec
    this.payloads = new Payloads(context.spec.byteLength)
    this.meter = new Meter(context.spec)
  }

  abstract open(endpoints: readonly Endpoint[]): Promise<readonly Endpoint[]>
  async start(): Promise<void> {}
  async begin(): Promise<void> {
    this.meter.begin()
  }
  async end(): Promise<SideSample> {
    return this.meter.end()
  }
  async stop(): Promise<number> {
    return 0
  }
  abstract close(): Promise<void>

  /** Waits until exactly this many payloads were received, over all of the run. */
  async settle(total: number, timeoutMs = SETTLE_TIMEOUT_MS): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (this.meter.payloads < total && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (this.meter.payloads !== total) {
      throw new VerificationError(`${total} payloads were sent and ${this.meter.payloads} received`)
    }
  }

  protected verifier(): Verifier {
    const { delivers } = this.context.contender
    return delivers === 'messages' ? new MessageVerifier(this.payloads) : new StreamVerifier(this.payloads)
  }

  protected wireOptions(): WireOptions {
    const { host, connections, byteLength } = this.spec
    return { host, connections, byteLength }
  }

  /** Calls `receive` for what arrives, and ends the run when it throws. */
  protected attach(channel: Channel, receive: Channel['onReceive']): void {
    channel.onFailure = this.context.fail
    channel.onReceive = (chunk, byteOffset, byteLength) => {
      try {
        receive(chunk, byteOffset, byteLength)
      } catch (error) {
        this.context.fail(error as Error)
      }
    }
  }
}

/** A client side with its connections. */
export abstract class ClientSide extends Side {
  protected readonly channels: Channel[] = []
  #endpoints: readonly Endpoint[] = []

  async open(endpoints: readonly Endpoint[]): Promise<readonly Endpoint[]> {
    this.#endpoints = endpoints
    if (!WITHOUT_LATENCY.includes(this.spec.traffic)) await this.meter.openHistogram()
    await this.connectMore(this.initialConnections())
    return endpoints
  }

  protected initialConnections(): number {
    return this.spec.connections
  }

  protected async connectOne(): Promise<Channel> {
    const index = this.channels.length % this.#endpoints.length
    return await this.context.wire.connect(this.#endpoints[index] as Endpoint, this.wireOptions())
  }

  protected async connectMore(count: number): Promise<void> {
    for (let left = count; left > 0; left -= CONNECTING_AT_ONCE) {
      const batch = Array.from({ length: Math.min(left, CONNECTING_AT_ONCE) }, async (_, i) => {
        const at = (this.channels.length + i) % this.#endpoints.length
        return await this.context.wire.connect(this.#endpoints[at] as Endpoint, this.wireOptions())
      })
      for (const channel of await Promise.all(batch)) {
        this.connected(channel)
        this.channels.push(channel)
      }
    }
  }

  /** A connection is there; it must be attached. */
  protected abstract connected(channel: Channel): void

  async close(): Promise<void> {
    await Promise.all(this.channels.map((channel) => channel.close()))
  }
}
