/** The server sides: one that only receives, and one that sends everything back. */
import type { Channel, Endpoint, Listening } from '../../contenders/contender.js'
import { Side } from './side.js'

/** Verifies and counts what arrives. */
class Sink extends Side {
  readonly #channels = new Set<Channel>()
  #listening: Listening | undefined

  async open(): Promise<readonly Endpoint[]> {
    this.#listening = await this.context.wire.listen(this.wireOptions(), (channel) => {
      this.#channels.add(channel)
      this.accepted(channel)
    })
    return this.#listening.endpoints
  }

  protected accepted(channel: Channel): void {
    const verifier = this.verifier()
    const { meter } = this
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      meter.payloads += verifier.check(chunk, byteOffset, byteLength)
    })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels].map((channel) => channel.close()))
    await this.#listening?.close()
  }
}

/** Sends back, verifies and counts. In this order: what a round trip takes is the wire's, not that of the check. */
class Echo extends Sink {
  protected override accepted(channel: Channel): void {
    const verifier = this.verifier()
    const { meter } = this
    this.attach(channel, (chunk, byteOffset, byteLength) => {
      channel.echo(chunk, byteOffset, byteLength)
      meter.payloads += verifier.check(chunk, byteOffset, byteLength)
    })
  }
}

export { Echo, Sink }
