/**
 * What a peer may say to an end at a moment, by numbers that do not wrap: an oracle for the checks of the protocol, which
 * have but 32 bits, and inputs that are honest but for one thing.
 */
import assert from 'node:assert/strict'
import { FrameKind, writeFrameHeader } from '@netts/verbs/endpoint'
import type { SeededRandom } from '@netts/verbs/simulated'
import { HEADER_BYTES, writeArgument, writeReleased } from '../src/protocol/frame.js'
import { RingEnd, ringReceives, windowFor } from '../src/protocol/ring-end.js'

/** What a peer says: header and doorbell of a frame in the ring, or a Send. */
interface Input {
  readonly isSend: boolean
  kind: number
  reserved: number
  posted: number
  released: number
  argument: number
  /** How long the Send is, or where the doorbell says that the frame ends. */
  byteLength: number
  end: number
}

const FRAME_KINDS = [FrameKind.credit, FrameKind.fin, FrameKind.done, FrameKind.reset]

/** One end, and its peer's view of it, with positions and counts that only grow. */
export class HostilePeer {
  readonly end: RingEnd
  readonly #capacity: number
  readonly #ring: Uint8Array
  readonly #random: SeededRandom
  /** Of the end's ring: where the last frame ended, and what the peer was told of its release. */
  #received: number
  #told: number
  /** Of the peer's ring. */
  #produced: number
  #released: number
  #posted: number
  #framesToPeer = 0
  readonly #maxPosted: number

  constructor(random: SeededRandom) {
    this.#random = random
    this.#capacity = 2 ** (12 + random.below(3))
    const peerCapacity = 2 ** (12 + random.below(3))
    const hello = (capacity: number) => {
      const posted = ringReceives(windowFor(capacity))
      return { capacity, posted, maxPosted: posted, features: random.below(2 ** 32) }
    }
    this.end = new RingEnd(hello(this.#capacity), hello(peerCapacity), windowFor(this.#capacity))
    this.#ring = new Uint8Array(this.#capacity)
    this.#maxPosted = this.#posted = ringReceives(windowFor(peerCapacity))
    // Some are about to wrap.
    const start = () => (random.chance(0.5) ? 2 ** 32 - random.below(20_000) : random.below(2 ** 32))
    this.#received = this.#told = start()
    this.#produced = this.#released = start()
    const { in: inbox, out, chunks } = this.end
    inbox.received = inbox.released = inbox.announced = chunks.releasedTo = this.#received >>> 0
    out.produced = out.released = this.#produced >>> 0
  }

  /** Both ends do something that the protocol allows. */
  live(): void {
    const { end } = this
    const random = this.#random
    switch (random.below(4)) {
      case 0: {
        const byteLength = 1 + random.below(1000)
        if (!end.maySend(byteLength)) return
        const sent = Math.min(byteLength, end.out.room)
        const before = end.out.produced
        end.out.place(sent)
        this.#produced += (end.out.produced - before) >>> 0
        end.onSend(FrameKind.data)
        this.#framesToPeer++
        end.announce()
        this.#told += (end.in.announced - this.#told) >>> 0
        return
      }
      case 1:
        if (end.handOut() >= 0 && random.chance(0.7)) end.release(end.chunks.nextOut - 1)
        return
      default:
        assert.equal(this.#say(this.#honest()), undefined)
    }
  }

  /**
   * The peer says something that is honest but for one thing, or is noise.
   * @returns whether it was a lie, which the end must have told, and nothing may have changed by it
   */
  lie(): boolean {
    const input = this.#honest()
    this.#distort(input)
    const isLie = !this.#isTrue(input)
    const before = this.#state()
    const problem = this.#say(input)
    assert.equal(problem !== undefined, isLie, `${JSON.stringify(input)}: ${problem}, at ${before}`)
    if (isLie) assert.equal(this.#state(), before)
    return isLie
  }

  /** A frame of data while there is room, or else a CREDIT. */
  #honest(): Input {
    const { next, room } = this.#room()
    const byteLength = 1 + this.#random.below(1 + Math.max(0, Math.min(room, 1000)))
    const isSend = room <= HEADER_BYTES + byteLength || this.#random.chance(0.2)
    return {
      isSend,
      kind: isSend ? FrameKind.credit : FrameKind.data,
      reserved: 0,
      posted: this.#posted + this.#random.below(this.#mayPost() + 1),
      released: this.#released + this.#random.below(this.#produced - this.#released + 1),
      argument: isSend ? 0 : byteLength,
      byteLength: HEADER_BYTES,
      end: next + HEADER_BYTES + byteLength,
    }
  }

  #distort(input: Input): void {
    const random = this.#random
    const near = (truth: number) =>
      random.chance(0.5) ? truth + random.below(41) - 20 : random.below(2 ** 33)
    switch (random.below(9)) {
      case 0:
      case 1:
        input.end = random.chance(0.3) ? this.#received + random.below(2 * this.#capacity) : near(input.end)
        break
      case 2:
        input.kind = random.below(9)
        break
      case 3:
        input.reserved = random.below(2 ** 24)
        break
      case 4:
        input.posted = near(this.#posted + this.#mayPost())
        break
      case 5:
        input.released = near(random.chance(0.5) ? this.#released : this.#produced)
        break
      case 6:
        input.argument = near(input.argument)
        break
      case 7:
        input.byteLength = random.below(40)
        break
      default:
        // Noise.
        input.kind = random.below(256)
        input.posted = random.below(2 ** 32)
        input.released = random.below(2 ** 32)
        input.argument = random.below(2 ** 32)
    }
  }

  /** Where the next frame begins, and the most bytes that it may have. */
  #room(): { readonly next: number; readonly room: number } {
    const capacity = this.#capacity
    const left = capacity - (this.#received % capacity)
    const next = left <= HEADER_BYTES ? this.#received + left : this.#received
    const room = Math.min(
      capacity - (next % capacity),
      capacity / 4 + HEADER_BYTES,
      this.#told + capacity - next,
    )
    return { next, room }
  }

  #mayPost(): number {
    return this.#maxPosted - (this.#posted - this.#framesToPeer)
  }

  #isTrue(input: Input): boolean {
    const { kind, isSend } = input
    const { next, room } = this.#room()
    // What wraps is the number that the peer can mean: the first one from the last on.
    const grown = (said: number, last: number) => (said - last) & 0xffff_ffff
    const postedGrowth = grown(input.posted, this.#posted) >>> 0
    const releasedGrowth = grown(input.released, this.#released) >>> 0
    if (postedGrowth > this.#mayPost() || releasedGrowth > this.#produced - this.#released) return false
    if (input.reserved !== 0) return false
    if (isSend) {
      const isKind = FRAME_KINDS.includes(kind as never) && kind !== FrameKind.done
      const isArgument = kind === FrameKind.reset || input.argument >>> 0 === 0
      return isKind && isArgument && input.byteLength === HEADER_BYTES
    }
    const byteLength = grown(input.end, next) >>> 0
    const fits = byteLength > HEADER_BYTES && byteLength <= room
    return fits && kind === FrameKind.data && input.argument >>> 0 === byteLength - HEADER_BYTES
  }

  #say(input: Input): string | undefined {
    const { end } = this
    const { next } = this.#room()
    const header = new Uint8Array(HEADER_BYTES)
    writeFrameHeader(header, 0, input.kind, input.posted >>> 0)
    header[1] = input.reserved >>> 16
    header[2] = input.reserved >>> 8
    header[3] = input.reserved
    writeReleased(header, 0, input.released >>> 0)
    writeArgument(header, 0, input.argument >>> 0)
    let problem: string | undefined
    if (input.isSend) problem = end.onControlFrame(header, 0, input.byteLength)
    else {
      this.#ring.set(header, next % this.#capacity)
      problem = end.onDoorbell(this.#ring, input.end >>> 0)
    }
    if (problem !== undefined) return problem
    this.#posted += (input.posted - this.#posted) >>> 0
    this.#released += (input.released - this.#released) >>> 0
    if (!input.isSend) this.#received = next + ((input.end - next) >>> 0)
    return undefined
  }

  #state(): string {
    const { in: inbox, out, chunks, credits, receives, posted, life } = this.end
    const { first, nextOut, nextIn, releasedTo } = chunks
    return JSON.stringify({ inbox, out, first, nextOut, nextIn, releasedTo, credits, receives, posted, life })
  }
}
