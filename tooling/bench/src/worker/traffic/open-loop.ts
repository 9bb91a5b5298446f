/**
 * Offered load: payloads leave by a schedule whether or not earlier ones came back, and a latency counts
 * from the scheduled time, so that a stall shows in everything it delayed.
 */
import type { Channel } from '../../contenders/contender.js'
import type { SideSample } from '../../run/protocol.js'
import { ClientSide } from './side.js'

/** Payloads sent before the event loop gets a turn, when the schedule has been missed. */
const BURST = 512

export class OpenLoop extends ClientSide {
  /** Payloads per millisecond. */
  readonly #rate = (this.spec.ratePerSecond as number) / 1000
  #channel: Channel | undefined
  #sent = 0
  #received = 0
  /** The schedule's origin: payload `#firstDue` is due at `#dueFrom`. */
  #dueFrom = 0
  #firstDue = 0
  #blocked = false
  #stopping = false

  protected connected(channel: Channel): void {
    this.#channel = channel
    const verifier = this.verifier()
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      const now = performance.now()
      const complete = verifier.check(chunk, byteOffset, byteLength)
      for (let i = 0; i < complete; i++) {
        if (this.#received >= this.#firstDue) this.meter.record(now - this.#dueAt(this.#received))
        this.#received++
        this.meter.payloads++
      }
    })
    channel.onDrain = () => {
      this.#blocked = false
      this.#sendDue()
    }
  }

  #dueAt(index: number): number {
    return this.#dueFrom + (index - this.#firstDue) / this.#rate
  }

  override async start(): Promise<void> {
    this.#dueFrom = performance.now()
    this.#turn()
  }

  /** The schedule starts anew: what the warm-up missed is forgotten. */
  override async begin(): Promise<void> {
    this.#firstDue = this.#sent
    this.#dueFrom = performance.now()
    this.meter.begin()
  }

  readonly #turn = (): void => {
    if (this.#stopping) return
    this.#sendDue()
    setImmediate(this.#turn)
  }

  #sendDue(): void {
    if (this.#blocked || this.#stopping) return
    const { variants } = this.payloads
    const due = this.#firstDue + (performance.now() - this.#dueFrom) * this.#rate
    for (let left = BURST; left > 0 && this.#sent < due; left--) {
      const payload = variants[this.#sent++ % variants.length] as Buffer
      if (!(this.#channel as Channel).send(payload)) {
        this.#blocked = true
        return
      }
    }
  }

  /** What was due and has not come back counts with the time it has taken so far. */
  override async end(): Promise<SideSample> {
    const now = performance.now()
    const due = this.#firstDue + Math.floor((now - this.#dueFrom) * this.#rate)
    for (let index = Math.max(this.#received, this.#firstDue); index < due; index++) {
      this.meter.record(now - this.#dueAt(index))
    }
    return this.meter.end()
  }

  override async stop(): Promise<number> {
    this.#stopping = true
    await this.settle(this.#sent)
    return this.#sent
  }
}
