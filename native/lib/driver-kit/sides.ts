/** What a driver has for each direction, as far as the kit calls it. */
import type { SendPlaces } from './send-places.js'

/** How a transport sends. */
export interface SendSide {
  /** Its sends. */
  readonly places: SendPlaces
  /** Stages a control frame; there is a place for it. @param argument the number in it, see `ProtocolEnd.argumentOf` */
  stageControl(kind: number, argument: number): void
  /**
   * Completes the headers of all staged frames and posts them in one batch.
   * @param count receives ever posted by this end
   * @throws NettsError `ERR_NETTS_VERBS` when the device refuses
   */
  post(count: number): void
  /** The queue pair is closed: gives back all memory. */
  close(): void
}

/** How a transport receives. */
export interface ReceiveSide {
  /** Chunks that were received and not handed out to the program. */
  readonly queued: number
  /** Discards the chunks that were not handed out. */
  discardQueued(): void
  /**
   * The queue pair is closed: gives back all memory, except that of chunks that are handed out, until their release.
   */
  close(): void
}
