/** Round trips: on every connection in use one payload is on its way, and the next leaves when it came back. */
import type { Channel } from '../../contenders/contender.js'
import type { Verifier } from '../payloads.js'
import { ClientSide } from './side.js'

interface Trip {
  readonly channel: Channel
  readonly verifier: Verifier
  next: number
  sentAt: number
}

export class ClosedLoop extends ClientSide {
  readonly #trips: Trip[] = []
  #sent = 0
  #stopping = false

  protected connected(channel: Channel): void {
    const trip: Trip = { channel, verifier: this.verifier(), next: 0, sentAt: 0 }
    this.#trips.push(trip)
    const { meter } = this
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      const arrivedAt = performance.now()
      if (trip.verifier.check(chunk, byteOffset, byteLength) === 0) return
      meter.payloads++
      meter.record(arrivedAt - trip.sentAt)
      if (!this.#stopping) this.#send(trip)
    })
  }

  override async start(): Promise<void> {
    for (const trip of this.#trips.slice(0, this.spec.active)) this.#send(trip)
  }

  #send(trip: Trip): void {
    const { variants } = this.payloads
    const payload = variants[trip.next] as Buffer
    trip.next = trip.next + 1 === variants.length ? 0 : trip.next + 1
    this.#sent++
    trip.sentAt = performance.now()
    trip.channel.send(payload)
  }

  override async stop(): Promise<number> {
    this.#stopping = true
    await this.settle(this.#sent)
    return this.#sent
  }
}
