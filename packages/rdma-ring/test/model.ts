/** A model of the protocol: both ends of a connection in every interleaving that the network and the programs allow. */
import assert from 'node:assert/strict'
import { FrameKind } from '@netts/verbs/endpoint'
import { HEADER_BYTES } from '../src/protocol/frame.js'
import type { Hello } from '../src/protocol/hello.js'
import { distance } from '../src/protocol/position.js'
import { RingEnd, ringReceives } from '../src/protocol/ring-end.js'

interface Frame {
  readonly kind: number
  readonly count: number
  readonly released: number
  /** The position behind it, for DATA. */
  readonly end: number
}

/** One end: the protocol's own code, and the least program and device around it. */
interface End {
  readonly session: RingEnd
  /** Frames on their way to the other end, in order. */
  readonly wire: Frame[]
  /** Sends that the program still wants to make: bytes of data each. */
  readonly toSend: number[]
  /** Chunks that the program holds. */
  readonly held: number[]
  received: number
  /** Receives of the device: running out of them is receiver-not-ready. */
  deviceReceives: number
}

interface World {
  readonly ends: [End, End]
}

/** How an end is set up. */
export interface Setup {
  readonly capacity: number
  readonly window: number
  readonly sends: readonly number[]
  /** Where its ring's positions begin, for the wrap at 2^32. @default 0 */
  readonly start?: number
}

function hello({ capacity, window }: Setup): Hello {
  const posted = ringReceives(window)
  return { capacity, posted, maxPosted: posted, features: 0 }
}

function makeEnd(own: Setup, peer: Setup): End {
  const session = new RingEnd(hello(own), hello(peer), own.window)
  const { in: inbox, out, chunks } = session
  inbox.received = inbox.released = inbox.announced = chunks.releasedTo = own.start ?? 0
  out.produced = out.released = peer.start ?? 0
  return { session, wire: [], toSend: [...own.sends], held: [], received: 0, deviceReceives: session.posted }
}

function clone<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) return (value as unknown as Uint8Array).slice() as unknown as T
  if (Array.isArray(value)) return value.map(clone) as unknown as T
  const copy = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) copy[key] = clone(item)
  return copy as T
}

/** Everything that tells states apart: what is in the tables of chunks beyond what they hold is not. */
function keyOf({ ends }: World): string {
  return JSON.stringify(
    ends.map(({ session, wire, toSend, held, received, deviceReceives }) => {
      const { chunks, ...rest } = session
      const table = Array.from({ length: chunks.nextIn - chunks.first }, (_, i) =>
        chunks.isOut(chunks.first + i),
      )
      const { first, nextOut, nextIn, releasedTo } = chunks
      return { rest, first, nextOut, nextIn, releasedTo, table, wire, toSend, held, received, deviceReceives }
    }),
  )
}

/**
 * What happens after each event: the program takes what it may, and the driver reposts, and sends the control frames that
 * are due.
 */
function settle(end: End): void {
  const { session } = end
  for (let chunk = session.handOut(); chunk >= 0; chunk = session.handOut()) end.held.push(chunk)
  const missing = session.dueReceives
  if (missing > 0 && session.life !== 'failed') {
    session.onPosted(missing)
    end.deviceReceives += missing
  }
  for (let kind = session.dueControl; kind !== 0; kind = session.dueControl) {
    session.onSend(kind)
    post(end, kind, 0)
  }
}

function post({ session, wire }: End, kind: number, end: number): void {
  const count = session.announce()
  wire.push({ kind, count, released: session.in.announced, end })
}

/** The bytes that a frame is written to must be nobody's: neither under way nor unreleased. */
function expectFree(sender: End, receiver: End, offset: number, byteLength: number): void {
  const { capacity, received } = receiver.session.in
  const { releasedTo } = receiver.session.chunks
  assert.equal(receiver.session.in.released, releasedTo)
  // What lies between the last byte released and the end of this frame is at most the ring.
  assert.ok(distance(releasedTo, sender.session.out.produced) <= capacity)
  assert.ok(distance(received, sender.session.out.produced) <= capacity)
  assert.ok(offset + byteLength <= capacity)
}

/** Sends as much of the next send as the driver would. */
function send(world: World, index: number): void {
  const [own, peer] = [world.ends[index]!, world.ends[1 - index]!]
  const byteLength = own.toSend[0]!
  const { out } = own.session
  const now = Math.min(byteLength, out.room)
  assert.ok(now > 0)
  const offset = out.place(now)
  expectFree(own, peer, offset, HEADER_BYTES + now)
  own.session.onSend(FrameKind.data)
  post(own, FrameKind.data, out.produced)
  if (now < byteLength) own.toSend[0] = byteLength - now
  else own.toSend.shift()
}

function receive(world: World, index: number): void {
  const frame = world.ends[index]!.wire.shift()!
  const receiver = world.ends[1 - index]!
  const { session } = receiver
  receiver.deviceReceives--
  assert.ok(receiver.deviceReceives >= 0)
  const start = session.in.next & (session.in.capacity - 1)
  const byteLength = frame.kind === FrameKind.data ? session.in.frameBytesTo(frame.end) : 0
  if (frame.kind === FrameKind.data) assert.ok(byteLength > HEADER_BYTES)
  assert.equal(session.onFrame(frame.kind, frame.count, frame.released), undefined)
  if (frame.kind !== FrameKind.data) return
  session.onChunk(start + HEADER_BYTES, byteLength - HEADER_BYTES, frame.end)
  receiver.received += byteLength - HEADER_BYTES
}

/** Everything that could happen next. */
function actions({ ends }: World, releasing: boolean): ((world: World) => void)[] {
  const possible: ((world: World) => void)[] = []
  ends.forEach(({ session, toSend, held, wire }, index) => {
    const act = (what: (world: World) => void, who = index) =>
      possible.push((world) => {
        what(world)
        settle(world.ends[who]!)
      })
    if (toSend.length > 0 && session.maySend(toSend[0]!)) act((world) => send(world, index))
    if (toSend.length === 0 && (session.life === 'open' || session.life === 'peer-finished')) {
      act((world) => world.ends[index]!.session.finish())
    }
    if (releasing) {
      for (const chunk of held) {
        act((world) => {
          const end = world.ends[index]!
          end.held.splice(end.held.indexOf(chunk), 1)
          end.session.release(chunk)
        })
      }
    }
    if (wire.length > 0) act((world) => receive(world, index), 1 - index)
  })
  return possible
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** How many states there are, and of those, in how many both ends want to send and neither may. */
export interface Explored {
  states: number
  /** No receives are left but the reserve. */
  withReservesAlone: number
  /** There is no room in the rings. */
  withoutRoom: number
}

/** What holds in every state. */
function check({ ends }: World, explored: Explored): void {
  explored.states++
  for (const { session } of ends) {
    const { out, in: inbox, credits } = session
    // Whoever claims more as released than was written is told, and so is who goes back.
    const more = (out.produced + 1) >>> 0
    assert.equal(out.mayBeReleased(more), false)
    assert.equal(out.mayBeReleased((out.released - 1) >>> 0), false)
    assert.ok(out.used <= out.capacity)
    assert.ok(credits.available <= credits.maxPosted)
    assert.ok(distance(inbox.announced, inbox.received) <= inbox.capacity)
  }
  const bothAre = (what: (end: End) => boolean) => ends.every((end) => end.toSend.length > 0 && what(end))
  if (bothAre(({ session }) => !session.maySendData)) explored.withReservesAlone++
  if (bothAre(({ session, toSend }) => session.out.framesFor(toSend[0]!) === 0)) explored.withoutRoom++
}

/**
 * Explores every reachable state.
 * @param releasing whether the programs release what they receive
 */
export function explore(first: Setup, second: Setup, releasing = true): Explored {
  const explored: Explored = { states: 0, withReservesAlone: 0, withoutRoom: 0 }
  const seen = new Set<string>()
  const frontier: World[] = [{ ends: [makeEnd(first, second), makeEnd(second, first)] }]
  for (let world = frontier.pop(); world; world = frontier.pop()) {
    const key = keyOf(world)
    if (seen.has(key)) continue
    seen.add(key)
    check(world, explored)
    if (seen.size > 300_000) throw new Error('too many states: does something go on for ever?')
    const possible = actions(world, releasing)
    if (possible.length === 0) {
      // Nothing can happen any more: that must be the good end, at both ends.
      for (const [index, { session, toSend, received }] of world.ends.entries()) {
        assert.deepEqual(toSend, [])
        assert.equal(received, sum([second, first][index]!.sends))
        assert.equal(session.life, 'parted')
        assert.equal(session.isLastDue, false)
      }
    }
    for (const act of possible) {
      const next = clone(world)
      act(next)
      frontier.push(next)
    }
  }
  return explored
}
