/** Idle connections: what processor time they take, after one round trip on each. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '../../contenders/contender.js'
import { ClientSide } from './side.js'

/** Whoever polls for a while after activity has stopped by then, and what was allocated was looked through. */
const SETTLE_MS = 1000

export class QuietClient extends ClientSide {
  #sent = 0

  protected connected(channel: Channel): void {
    const verifier = this.verifier()
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      this.meter.payloads += verifier.check(chunk, byteOffset, byteLength)
    })
    this.#sent++
    channel.send(this.payloads.variants[0] as Buffer)
  }

  override async start(): Promise<void> {
    await this.settle(this.#sent)
    await sleep(SETTLE_MS)
  }

  override async stop(): Promise<number> {
    return this.#sent
  }
}
