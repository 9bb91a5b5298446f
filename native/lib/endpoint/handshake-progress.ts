/** What an endpoint waits for before it is open, and the completions that came before that. */
import { COMPLETION } from '../verbs/layout.js'

/** The progress of one handshake. */
export class HandshakeProgress {
  /** The peer's hello was accepted. */
  isGreeted = false
  /** The connection manager reported `established`. */
  isEstablished = false
  /** The peer's READY arrived. */
  isPeerReady = false
  readonly #early: Uint32Array[] = []

  get isComplete(): boolean {
    return this.isGreeted && this.isEstablished && this.isPeerReady
  }

  /** Keeps a copy of a completion for the session, which cannot use it before the endpoint is open. */
  keep(words: Uint32Array, at: number): void {
    this.#early.push(words.slice(at, at + COMPLETION.words))
  }

  /** Returns what was kept, and forgets it. */
  takeEarly(): readonly Uint32Array[] {
    return this.#early.splice(0)
  }
}
