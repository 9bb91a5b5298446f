/**
 * One message to each of many idle connections, in one turn of the server, and what its memory is once they are idle
 * again. There is one connection more than asked for: it gets its message before the window, so that what is
 * allocated once doesn't count.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '../../contenders/contender.js'
import type { SideSample } from '../../run/protocol.js'
import { collectGarbage } from './collect-garbage.js'
import { Sink } from './servers.js'
import { ClientSide } from './side.js'

/** How long connections are idle before memory is read: whoever gives it back by and by has the time to. */
const IDLE_MS = 250

export class BroadcastServer extends Sink {
  readonly #channels: Channel[] = []

  protected override accepted(channel: Channel): void {
    this.#channels.push(channel)
    super.accepted(channel)
  }

  /** Each client spoke first: then the connection is there at both ends. */
  override async begin(): Promise<void> {
    await this.settle(this.spec.connections + 1)
    this.#send(this.#channels.slice(0, 1))
    await collectGarbage()
    await super.begin()
  }

  override async start(): Promise<void> {
    this.#send(this.#channels.slice(1))
  }

  #send(channels: readonly Channel[]): void {
    for (const channel of channels) channel.send(this.payloads.variants[0] as Buffer)
  }

  override async end(): Promise<SideSample> {
    await sleep(IDLE_MS)
    await collectGarbage()
    return await super.end()
  }
}

export class BroadcastClient extends ClientSide {
  protected override initialConnections(): number {
    return this.spec.connections + 1
  }

  protected connected(channel: Channel): void {
    const verifier = this.verifier()
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      this.meter.payloads += verifier.check(chunk, byteOffset, byteLength)
    })
    channel.send(this.payloads.variants[0] as Buffer)
  }

  override async begin(): Promise<void> {
    await this.settle(1)
    await collectGarbage()
    await super.begin()
  }

  /** Every connection had its message, and none had another. */
  override async start(): Promise<void> {
    await this.settle(this.spec.connections + 1)
  }

  override async end(): Promise<SideSample> {
    await sleep(IDLE_MS)
    await collectGarbage()
    return await super.end()
  }

  override async stop(): Promise<number> {
    return this.spec.connections + 1
  }
}
