/** One way: every connection sends as fast as it is taken. */
import type { Channel } from '../../contenders/contender.js'
import { VerificationError } from '../payloads.js'
import { ClientSide } from './side.js'

/**
 * What a connection sends before the event loop gets a turn. Without it, a socket that the kernel never refuses would
 * go on from one `drain` to the next without ever coming back: no timer, no command would be heard.
 */
const BURST_PAYLOADS = 4096
const BURST_BYTES = 16 << 20

export class Flood extends ClientSide {
  #stopping = false

  protected connected(channel: Channel): void {
    this.attach(channel, () => {
      throw new VerificationError('something arrived where nothing was sent')
    })
  }

  override async start(): Promise<void> {
    for (const channel of this.channels) this.#pump(channel)
  }

  #pump(channel: Channel): void {
    const { variants } = this.payloads
    const { meter } = this
    const burst = Math.min(BURST_PAYLOADS, Math.ceil(BURST_BYTES / this.payloads.byteLength))
    let next = 0
    let left = burst
    const pump = () => {
      while (left > 0) {
        if (this.#stopping) return
        const payload = variants[next] as Buffer
        next = next + 1 === variants.length ? 0 : next + 1
        left--
        meter.payloads++
        if (!channel.send(payload)) return
      }
      setImmediate(turn)
    }
    const turn = () => {
      left = burst
      pump()
    }
    channel.onDrain = pump
    pump()
  }

  override async stop(): Promise<number> {
    this.#stopping = true
    return this.meter.payloads
  }
}
