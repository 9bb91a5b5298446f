/**
 * The link between two guests: every Ethernet frame passes through this process, which can lose, delay and
 * corrupt them, or take the carrier away.
 */
import type { Duplex } from 'node:stream'
import { LabError } from '../progress.js'

/** What happens to frames while an impairment is in force. Rates are between 0 and 1. */
export interface Impairment {
  /** The share of frames that are lost. 1 is a silent link: its carrier stays up. @default 0 */
  dropRate?: number
  /** The share of frames in which one byte is changed. @default 0 */
  corruptRate?: number
  /** How long every frame takes, in addition. @default 0 */
  delayMs?: number
  /** Restricts it to some frames. @default all */
  matches?: (frame: Buffer, fromHost: 1 | 2) => boolean
  /** Of the sequence of chances, so that a run can be repeated. @default 1 */
  seed?: number
}

export interface LinkStatistics {
  readonly frames: number
  readonly byteLength: number
  readonly dropped: number
  readonly corrupted: number
  readonly delayed: number
}

export interface Link {
  /** Takes the carrier away, as by pulling the cable; frames under way are lost. */
  down(): Promise<void>
  up(): Promise<void>
  /** Impairs the link from now on, instead of any earlier impairment. */
  impair(impairment: Impairment): void
  /** Ends the impairment; frames already delayed still arrive when they are due. */
  heal(): void
  /**
   * Resolves once this many more bytes went over the link: a moment in mid-transfer. Rejects when they did not
   * within `timeoutMs` (default 60_000).
   */
  carried(byteLength: number, timeoutMs?: number): Promise<void>
  readonly statistics: LinkStatistics
}

/** One end of the link: a guest's network card. */
export interface LinkEnd {
  /** Frames as QEMU's socket network sends them: a u32 byte length, big-endian, and the Ethernet frame. */
  readonly card: Duplex
  /** Tells the guest that the carrier is there or gone. */
  setCarrier(up: boolean): Promise<void>
}

const LENGTH_BYTES = 4
/** Corruption spares the Ethernet and IP headers, so that the frame arrives and its checksums must catch it. */
const FIRST_CORRUPTED_BYTE = 42

/**
 * @param lanes the cards that are wired to each other, a pair for each network
 */
export function createLink(lanes: readonly (readonly [LinkEnd, LinkEnd])[]): Link {
  const statistics = { frames: 0, byteLength: 0, dropped: 0, corrupted: 0, delayed: 0 }
  let carrier = true
  let impairment: Impairment = {}
  let random = createRandom(1)
  let moments: { at: number; reached: () => void }[] = []

  const carry = (frame: Buffer, fromHost: 1 | 2, to: Duplex) => {
    const chosen = impairment.matches?.(frame, fromHost) ?? true
    const { dropRate = 0, corruptRate = 0, delayMs = 0 } = chosen ? impairment : {}
    if (dropRate > 0 && random() < dropRate) {
      statistics.dropped++
      return
    }
    if (corruptRate > 0 && random() < corruptRate && frame.byteLength > FIRST_CORRUPTED_BYTE) {
      const at = FIRST_CORRUPTED_BYTE + Math.floor(random() * (frame.byteLength - FIRST_CORRUPTED_BYTE))
      frame[at]! ^= 0xff
      statistics.corrupted++
    }
    if (delayMs > 0) {
      statistics.delayed++
      setTimeout(deliver, delayMs, frame, to).unref()
    } else deliver(frame, to)
  }
  const deliver = (frame: Buffer, to: Duplex) => {
    if (!carrier || to.destroyed) {
      statistics.dropped++
      return
    }
    statistics.frames++
    statistics.byteLength += frame.byteLength
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(frame.byteLength)
    to.cork()
    to.write(length)
    to.write(frame)
    to.uncork()
    if (moments.length === 0) return
    for (const moment of moments) if (statistics.byteLength >= moment.at) moment.reached()
    moments = moments.filter((moment) => statistics.byteLength < moment.at)
  }
  for (const [one, two] of lanes) {
    splitFrames(one.card, (frame) => carry(frame, 1, two.card))
    splitFrames(two.card, (frame) => carry(frame, 2, one.card))
  }
  const setCarrier = async (up: boolean) => {
    carrier = up
    await Promise.all(lanes.flat().map((end) => end.setCarrier(up)))
  }
  return {
    down: () => setCarrier(false),
    up: () => setCarrier(true),
    impair(next) {
      impairment = next
      random = createRandom(next.seed ?? 1)
    },
    heal() {
      impairment = {}
    },
    carried: (byteLength, timeoutMs = 60_000) =>
      new Promise((resolve, reject) => {
        const moment = { at: statistics.byteLength + byteLength, reached }
        moments.push(moment)
        const timer = setTimeout(() => {
          moments = moments.filter((other) => other !== moment)
          const missing = moment.at - statistics.byteLength
          reject(
            new LabError(`within ${timeoutMs} ms the link carried ${missing} of ${byteLength} bytes too few`),
          )
        }, timeoutMs)
        function reached() {
          clearTimeout(timer)
          resolve()
        }
      }),
    statistics,
  }
}

function splitFrames(card: Duplex, take: (frame: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0)
  card.on('data', (chunk: Buffer) => {
    pending = pending.byteLength === 0 ? chunk : Buffer.concat([pending, chunk])
    let offset = 0
    while (pending.byteLength >= offset + LENGTH_BYTES) {
      const end = offset + LENGTH_BYTES + pending.readUInt32BE(offset)
      if (pending.byteLength < end) break
      take(Buffer.from(pending.subarray(offset + LENGTH_BYTES, end)))
      offset = end
    }
    pending = pending.subarray(offset)
  })
}

/** Numbers in [0, 1) that a seed repeats: the mulberry32 generator. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
