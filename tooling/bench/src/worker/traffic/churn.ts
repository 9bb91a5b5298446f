/** Connecting and closing: connect, one verified round trip, close, and again. */
import type { Channel } from '../../contenders/contender.js'
import { ClientSide } from './side.js'

export class Churn extends ClientSide {
  #sent = 0
  #stopping = false
  readonly #loops: Promise<void>[] = []

  protected override initialConnections(): number {
    return 0
  }

  protected connected(): void {}

  override async start(): Promise<void> {
    for (let i = 0; i < this.spec.connections; i++) this.#loops.push(this.#loop())
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      const startedAt = performance.now()
      try {
        const channel = await this.connectOne()
        await this.#roundTrip(channel)
        await channel.close()
      } catch (error) {
        return this.context.fail(error as Error)
      }
      this.meter.payloads++
      this.meter.record(performance.now() - startedAt)
    }
  }

  #roundTrip(channel: Channel): Promise<void> {
    const verifier = this.verifier()
    return new Promise((resolve) => {
      this.attach(channel, (chunk, byteOffset, byteLength) => {
        if (verifier.check(chunk, byteOffset, byteLength) > 0) resolve()
      })
      this.#sent++
      channel.send(this.payloads.variants[0] as Buffer)
    })
  }

  override async stop(): Promise<number> {
    this.#stopping = true
    await Promise.all(this.#loops)
    return this.#sent
  }
}
