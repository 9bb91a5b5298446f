/** Rings of any size over many laps: what is sent arrives, in order, and nothing is written over before its release. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEADER_BYTES } from './frame.js'
import { distance } from './position.js'
import { ReceiveSpace } from './receive-space.js'
import { RingEnd, ringReceives, windowFor } from './ring-end.js'

const hello = (capacity: number) => {
  const posted = ringReceives(windowFor(capacity))
  return { capacity, posted, maxPosted: posted, features: 0 }
}

/** Both ends of one direction, with a ring in which each byte has the number of its frame while it is not released. */
class Ring {
  readonly sender: RingEnd
  readonly receiver: RingEnd
  readonly bytes: Uint32Array
  readonly wire: { readonly frame: number; readonly end: number }[] = []
  readonly held: number[] = []
  readonly #frames = new Map<number, { offset: number; byteLength: number }>()
  sent = 0
  received = 0

  constructor(capacity: number, start: number) {
    const window = windowFor(capacity)
    this.sender = new RingEnd(hello(4096), hello(capacity), window)
    this.receiver = new RingEnd(hello(capacity), hello(4096), window)
    const { out } = this.sender
    const { in: inbox, chunks } = this.receiver
    out.produced = out.released = start >>> 0
    inbox.received = inbox.released = inbox.announced = chunks.releasedTo = start >>> 0
    this.bytes = new Uint32Array(capacity)
  }

  /** All of it, in one frame or two. @returns how many bytes of data were sent; 0 when they have to wait */
  send(byteLength: number): number {
    const { out } = this.sender
    const frames = out.framesFor(byteLength)
    if (frames === 0) return 0
    let rest = byteLength
    for (let i = 0; i < frames; i++) {
      const now = Math.min(rest, out.room)
      this.#write(now)
      rest -= now
    }
    expect(rest).toBe(0)
    return byteLength
  }

  #write(byteLength: number): void {
    expect(byteLength).toBeGreaterThan(0)
    const frame = ++this.sent
    const offset = this.sender.out.place(byteLength)
    const end = offset + HEADER_BYTES + byteLength
    expect(end).toBeLessThanOrEqual(this.bytes.length)
    // A byte that is not 0 belongs to a frame that is not released.
    expect(this.bytes.subarray(offset, end).every((owner) => owner === 0)).toBe(true)
    this.bytes.fill(frame, offset, end)
    this.#frames.set(frame, { offset, byteLength })
    this.wire.push({ frame, end: this.sender.out.produced })
  }

  receive(): void {
    const { frame, end } = this.wire.shift()!
    const { in: inbox, chunks } = this.receiver
    const { offset, byteLength } = this.#frames.get(frame)!
    expect(inbox.frameBytesTo(end)).toBe(HEADER_BYTES + byteLength)
    expect(inbox.next & (inbox.capacity - 1)).toBe(offset)
    expect(this.bytes[offset]).toBe(frame)
    this.receiver.onChunk(offset + HEADER_BYTES, byteLength, end)
    expect(++this.received).toBe(frame)
    expect(chunks.queued).toBeGreaterThan(0)
  }

  /** Releases one that is held, in any order: from then on its bytes may be written over, and no others. */
  release(which: number): void {
    const [index] = this.held.splice(which % this.held.length, 1)
    this.receiver.release(index!)
    const { offset, byteLength } = this.#frames.get(index! + 1)!
    this.bytes.fill(0, offset, offset + HEADER_BYTES + byteLength)
  }

  /** @returns whether the receiver has to say so */
  announce(force: boolean): boolean {
    const { in: inbox } = this.receiver
    if (!force && !inbox.isDue) return false
    this.receiver.announce()
    expect(this.sender.out.mayBeReleased(inbox.announced)).toBe(true)
    this.sender.out.onReleased(inbox.announced)
    return true
  }
}

const capacities = fc.integer({ min: 8, max: 14 }).map((bits) => 2 ** bits)
const starts = fc.oneof(
  fc.constant(0),
  fc.nat(0xffff_ffff),
  fc.integer({ min: 2 ** 32 - 40_000, max: 2 ** 32 - 1 }),
)

describe('a ring', () => {
  it('holds each byte until its release, whatever the sizes, the order of release and the delays', () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom('send', 'send', 'receive', 'take', 'release', 'announce'),
        n: fc.nat(0xffff),
      }),
      { minLength: 50, maxLength: 400 },
    )
    fc.assert(
      fc.property(capacities, starts, steps, (capacity, start, steps) => {
        const ring = new Ring(capacity, start)
        for (const { what, n } of steps) {
          if (what === 'send') ring.send(1 + (n % (capacity / 4)))
          else if (what === 'receive' && ring.wire.length > 0) ring.receive()
          else if (what === 'take') {
            const index = ring.receiver.handOut()
            if (index >= 0) ring.held.push(index)
          } else if (what === 'release' && ring.held.length > 0) ring.release(n)
          else if (what === 'announce') ring.announce(n % 2 === 0)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('never stands still: once all has arrived and half may be held, whatever waits goes, by what is due alone', () => {
    const sends = fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(capacities, starts, sends, fc.boolean(), (capacity, start, sends, holds) => {
        const ring = new Ring(capacity, start)
        let rest = 0
        for (const n of sends) {
          for (rest = 1 + (n % (capacity / 4)); rest > 0; ) {
            const now = ring.send(rest)
            rest -= now
            if (now > 0) continue
            while (ring.wire.length > 0) ring.receive()
            // The program holds all that it may for ever, and lets the oldest go only for the next one.
            while (ring.receiver.chunks.queued > 0) {
              const index = ring.receiver.handOut()
              if (index >= 0) ring.held.push(index)
              else ring.release(0)
            }
            while (!holds && ring.held.length > 0) ring.release(0)
            expect(ring.announce(false)).toBe(true)
            expect(ring.sender.out.framesFor(rest)).toBeGreaterThan(0)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is worth a frame when a tenth is unannounced and half is used, and not before', () => {
    const space = new ReceiveSpace(4096)
    const isDue = (received: number, released: number) => {
      space.onReceived(received)
      space.onReleased(released)
      return space.isDue
    }
    expect(isDue(2048, 409)).toBe(false)
    expect(isDue(2047, 410)).toBe(false)
    expect(isDue(2048, 410)).toBe(true)
    space.announce()
    expect(isDue(410 + 2047, 410 + 2047)).toBe(false)
    expect(isDue(410 + 2048, 410 + 410)).toBe(true)
  })

  it('leaves the reserve of receives alone, also with the second frame of a send', () => {
    const window = windowFor(4096)
    const end = (posted: number) => new RingEnd(hello(4096), { ...hello(4096), posted }, window)
    const across = (ring: RingEnd) => {
      ring.out.produced = ring.out.released = 4096 - 100
      return ring.maySend(500)
    }
    // Data leaves three.
    expect([3, 4].map((posted) => end(posted).maySend(500))).toEqual([false, true])
    expect([3, 4, 5].map((posted) => across(end(posted)))).toEqual([false, false, true])
  })

  it('tells a frame that cannot be: backwards, empty, too long, beyond its end, or over what is not released', () => {
    const start = 2 ** 32 - 512
    const { receiver } = new Ring(4096, start)
    const { in: inbox } = receiver
    const bytesTo = (end: number) => inbox.frameBytesTo(end >>> 0)
    expect(bytesTo(start)).toBe(0)
    expect(bytesTo(start - 1)).toBe(0)
    expect(bytesTo(start + HEADER_BYTES)).toBe(0)
    expect(bytesTo(start + HEADER_BYTES + 1)).toBe(HEADER_BYTES + 1)
    // 512 bytes are left before the ring's end.
    expect(bytesTo(start + 512)).toBe(512)
    expect(bytesTo(start + 513)).toBe(0)
    receiver.onChunk(4096 - 512 + HEADER_BYTES, 512 - HEADER_BYTES, 0)
    // A quarter of the ring, and its header.
    expect(bytesTo(1040)).toBe(1040)
    expect(bytesTo(1041)).toBe(0)
    for (const end of [1024, 2048, 3072]) receiver.onChunk(end - 1008, 1008, end)
    expect(bytesTo(3584)).toBe(512)
    expect(bytesTo(3585)).toBe(0)
    receiver.handOut()
    receiver.release(0)
    // Released, but the peer does not know yet.
    expect(bytesTo(3585)).toBe(0)
    receiver.announce()
    expect(bytesTo(4096)).toBe(1024)
  })

  it('takes a position as released only if so much was written and it does not go back', () => {
    fc.assert(
      fc.property(capacities, starts, fc.nat(0xffff_ffff), (capacity, start, said) => {
        const { sender } = new Ring(capacity, start)
        sender.out.place(100)
        expect(sender.out.mayBeReleased(said)).toBe(distance(start >>> 0, said) <= sender.out.used)
        expect(sender.onFrame(2, sender.credits.posted, said) === undefined).toBe(
          sender.out.mayBeReleased(said),
        )
      }),
    )
  })
})
