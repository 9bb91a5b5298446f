/** Idle connections: what their memory is, after one round trip on each. */
import type { Channel } from '../../contenders/contender.js'
import type { SideSample } from '../../run/protocol.js'
import { collectGarbage } from './collect-garbage.js'
import { Echo } from './servers.js'
import { ClientSide } from './side.js'

/** Connections made before the window, so that what is allocated once doesn't count. */
const FIRST_CONNECTIONS = 64

/** The window begins at the first connections and ends with all of them. */
export class IdleClient extends ClientSide {
  #sent = 0

  protected override initialConnections(): number {
    return FIRST_CONNECTIONS
  }

  protected connected(channel: Channel): void {
    const verifier = this.verifier()
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      this.meter.payloads += verifier.check(chunk, byteOffset, byteLength)
    })
    this.#sent++
    channel.send(this.payloads.variants[0] as Buffer)
  }

  override async begin(): Promise<void> {
    await this.settle(this.#sent)
    await collectGarbage()
    await super.begin()
  }

  /** The other connections, with one round trip on each. */
  override async start(): Promise<void> {
    await this.connectMore(this.spec.connections)
    await this.settle(this.#sent)
  }

  override async end(): Promise<SideSample> {
    await collectGarbage()
    return await super.end()
  }

  override async stop(): Promise<number> {
    return this.#sent
  }
}

export class IdleServer extends Echo {
  override async begin(): Promise<void> {
    await collectGarbage()
    await super.begin()
  }

  override async end(): Promise<SideSample> {
    await collectGarbage()
    return await super.end()
  }
}
