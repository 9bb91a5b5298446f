/** What a driver of the kit has for each direction, as far as the kit is concerned. */
import type { SendPlaces } from './send-places.js'

/** What a transport sends by. */
export interface SendSide {
  readonly places: SendPlaces
  /** Stages a control frame, for which there is a place. @param argument that goes with it */
  stageControl(kind: number, argument: number): void
  /** Writes the headers of everything staged and posts it, in one batch. @param count of receives, for the headers */
  post(count: number): void
  /** The queue pair is gone: gives back all memory. */
  close(): void
}

/** What a transport receives by. */
export interface ReceiveSide {
  /** Chunks that wait to be handed out. */
  readonly queued: number
  /** Forgets the chunks that were not handed out. */
  discardQueued(): void
  /** The queue pair is gone: gives back all memory but that of chunks handed out, which goes back with their release. */
  close(): void
}
