/** What an endpoint waits for before it is open, and what came too early. */
import { COMPLETION } from '../verbs/layout.js'

export class HandshakeProgress {
  /** The peer's hello was accepted. */
  isGreeted = false
  /** The connection manager has the connection. */
  isEstablished = false
  /** The peer said READY. */
  isPeerReady = false
  readonly #early: Uint32Array[] = []

  get isComplete(): boolean {
    return this.isGreeted && this.isEstablished && this.isPeerReady
  }

  /** Keeps a completion for the session, which can't use it before the endpoint is open. */
  keep(words: Uint32Array, at: number): void {
    this.#early.push(words.slice(at, at + COMPLETION.words))
  }

  /** What was kept, once. */
  takeEarly(): readonly Uint32Array[] {
    return this.#early.splice(0)
  }
}
