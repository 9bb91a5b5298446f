/** Both ends of a connection in every interleaving that the network and the programs allow, for small windows. */
import { RESERVE, receivesFor } from '@netts/verbs/endpoint'
import { describe, expect, it } from 'vitest'
import { FrameKind, type FrameKindNumber } from './frame.js'
import type { Hello } from './hello.js'
import { ProtocolEnd } from './protocol-end.js'

interface Frame {
  readonly kind: FrameKindNumber
  readonly count: number
  readonly argument: number
}

/** One end: the protocol's own code, and the least program and device around it. */
interface End {
  readonly session: ProtocolEnd
  /** Frames on their way to the other end, in order. */
  readonly wire: Frame[]
  /** Data that the program still wants to send. */
  toSend: number
  /** Data received, and not released by the program. */
  held: number
  received: number
  /** Receives of the device: running out of them is receiver-not-ready. */
  deviceReceives: number
}

interface World {
  readonly ends: readonly [End, End]
}

interface Depths {
  readonly least: number
  readonly most: number
  readonly toSend: number
}

function hello({ least, most }: Depths): Hello {
  return {
    bufferSize: 2048,
    posted: receivesFor(least),
    maxPosted: receivesFor(most),
    features: 0,
  }
}

function makeEnd(own: Depths, peer: Depths): End {
  const session = new ProtocolEnd(hello(own), hello(peer), own)
  return { session, wire: [], toSend: own.toSend, held: 0, received: 0, deviceReceives: session.posted }
}

function clone(object: object): object {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(object)), object)
  for (const [key, value] of Object.entries(copy)) {
    if (Array.isArray(value)) copy[key] = value.map((item: Frame) => item)
    else if (typeof value === 'object' && value !== null) copy[key] = clone(value)
  }
  return copy
}

function cloneWorld({ ends }: World): World {
  return { ends: [clone(ends[0]) as End, clone(ends[1]) as End] }
}

/** What the driver does after each event: reposts, then control frames. */
function settle(end: End): void {
  const { session } = end
  const free = receivesFor(session.window.most) - session.posted - end.held
  const missing = Math.min(free, session.wantedReceives - session.posted)
  if (missing > 0 && session.life !== 'failed') {
    session.onPosted(missing)
    end.deviceReceives += missing
  }
  for (let kind = session.dueControl; kind !== 0; kind = session.dueControl) {
    const argument = session.argumentOf(kind)
    session.onSend(kind)
    end.wire.push({ kind: kind as FrameKindNumber, count: session.announce(), argument })
  }
}

/** Everything that could happen next. */
function actions(world: World, releasing: boolean): ((world: World) => void)[] {
  const possible: ((world: World) => void)[] = []
  world.ends.forEach((end, index) => {
    const { session } = end
    if (end.toSend > 0 && session.maySendData && session.life !== 'failed') {
      possible.push(({ ends }) => {
        const own = ends[index]!
        own.toSend--
        own.session.onSend(FrameKind.data)
        own.wire.push({ kind: FrameKind.data, count: own.session.receives.announce(), argument: 0 })
        settle(own)
      })
    }
    if (end.toSend === 0 && (session.life === 'open' || session.life === 'peer-finished')) {
      possible.push(({ ends }) => {
        ends[index]!.session.finish()
        settle(ends[index]!)
      })
    }
    if (end.held > 0 && releasing) {
      possible.push(({ ends }) => {
        ends[index]!.held--
        settle(ends[index]!)
      })
    }
    if (end.wire.length > 0) {
      possible.push(({ ends }) => {
        const frame = ends[index]!.wire.shift()!
        const receiver = ends[1 - index]!
        receiver.deviceReceives--
        expect(receiver.deviceReceives).toBeGreaterThanOrEqual(0)
        expect(receiver.session.onFrame(frame.kind, frame.count, frame.argument)).toBeUndefined()
        if (frame.kind === FrameKind.data) {
          receiver.held++
          receiver.received++
        }
        settle(receiver)
      })
    }
  })
  return possible
}

/**
 * Explores every reachable state.
 * @param releasing whether the programs release what they receive
 * @returns how many states there are
 */
function explore(first: Depths, second: Depths, releasing = true): number {
  const start: World = { ends: [makeEnd(first, second), makeEnd(second, first)] }
  const seen = new Set<string>()
  const frontier = [start]
  for (let world = frontier.pop(); world; world = frontier.pop()) {
    const key = JSON.stringify(world)
    if (seen.has(key)) continue
    seen.add(key)
    if (seen.size > 400_000) throw new Error('too many states: does something go on for ever?')
    const possible = actions(world, releasing)
    if (possible.length === 0) {
      // Nothing can happen any more: that must be the good end, at both ends.
      for (const [index, end] of world.ends.entries()) {
        expect(end.toSend).toBe(0)
        expect(end.received).toBe([second, first][index]!.toSend)
        expect(end.session.life).toBe('parted')
        expect(end.session.isLastDue).toBe(false)
      }
    }
    for (const act of possible) {
      const next = cloneWorld(world)
      act(next)
      frontier.push(next)
    }
  }
  return seen.size
}

describe('two ends in every interleaving', () => {
  const cases: [string, Depths, Depths][] = [
    ['one receive each', { least: 1, most: 1, toSend: 3 }, { least: 1, most: 1, toSend: 2 }],
    ['one direction only', { least: 1, most: 1, toSend: 9 }, { least: 1, most: 1, toSend: 0 }],
    ['one against many', { least: 1, most: 1, toSend: 4 }, { least: 8, most: 8, toSend: 1 }],
    ['two growing to four', { least: 1, most: 2, toSend: 3 }, { least: 2, most: 4, toSend: 1 }],
  ]
  for (const [name, first, second] of cases) {
    it(`never runs out of receives and always reaches the end: ${name}`, () => {
      expect(explore(first, second)).toBeGreaterThan(100)
    })
  }
})

describe('two ends that receive nothing', () => {
  const cases: [string, Depths, Depths][] = [
    ['one each', { least: 1, most: 1, toSend: 1 }, { least: 1, most: 1, toSend: 1 }],
    ['one and four', { least: 1, most: 1, toSend: 4 }, { least: 2, most: 4, toSend: 1 }],
    ['two growing to three', { least: 2, most: 3, toSend: 2 }, { least: 1, most: 2, toSend: 3 }],
    ['one direction, to sixteen', { least: 1, most: 1, toSend: 16 }, { least: 4, most: 16, toSend: 0 }],
  ]
  for (const [name, first, second] of cases) {
    it(`can each send what the other's window holds, and finish: ${name}`, () => {
      expect(explore(first, second, false)).toBeGreaterThan(10)
    })
  }
})

describe('the reserve', () => {
  it('leaves room for each more urgent kind', () => {
    expect([RESERVE.data, RESERVE.credit, RESERVE.fin, RESERVE.last]).toEqual([3, 2, 1, 0])
  })
})
