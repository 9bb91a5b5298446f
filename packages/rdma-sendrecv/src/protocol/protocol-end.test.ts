import type { LifeState } from '@netts/verbs/endpoint'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameKind, type FrameKindNumber, frameName, ResetReason } from './frame.js'
import { ProtocolEnd } from './protocol-end.js'

const hello = { bufferSize: 2048, posted: 8, maxPosted: 20, features: 0 }
const kinds = Object.values(FrameKind)

function open(): ProtocolEnd {
  return new ProtocolEnd(hello, hello, { least: 4, most: 12 })
}

const ways: Record<LifeState, () => ProtocolEnd> = {
  open,
  finished: () => {
    const session = open()
    session.finish()
    return session
  },
  'peer-finished': () => {
    const session = open()
    session.onFrame(FrameKind.fin, 8, 0)
    return session
  },
  parting: () => {
    const session = ways['peer-finished']()
    session.finish()
    return session
  },
  parted: () => {
    const session = ways.parting()
    session.onFrame(FrameKind.done, 8, 0)
    return session
  },
  failed: () => {
    const session = open()
    session.fail()
    return session
  },
}

describe('an end', () => {
  it('takes in each state exactly the frames that belong there', () => {
    const taken = Object.fromEntries(
      Object.entries(ways).map(([state, make]) => {
        expect(make().life).toBe(state)
        return [state, kinds.filter((kind) => make().onFrame(kind, 8, 0) === undefined).map(frameName)]
      }),
    )
    expect(taken).toEqual({
      open: ['DATA', 'CREDIT', 'FIN', 'RESET', 'RECLAIM', 'FILLER'],
      finished: ['DATA', 'CREDIT', 'FIN', 'RESET', 'RECLAIM', 'FILLER'],
      'peer-finished': ['CREDIT', 'RESET', 'RECLAIM', 'FILLER'],
      parting: ['CREDIT', 'DONE', 'RESET', 'RECLAIM', 'FILLER'],
      parted: [],
      failed: [],
    })
  })

  it('says FIN before DONE, and nothing after', () => {
    const session = ways.parting()
    const said: string[] = []
    for (let kind = session.dueControl; kind !== 0; kind = session.dueControl) {
      said.push(frameName(kind))
      session.onSend(kind)
    }
    expect(said).toEqual(['FIN', 'DONE'])
    session.onPosted(8)
    session.fail(ResetReason.destroyed)
    expect(session.dueControl).toBe(0)
  })

  it('that fails says RESET with its reason, also when only one receive is left for it', () => {
    const session = open()
    while (session.credits.available > 1) session.credits.onSent()
    session.fail(ResetReason.timeout)
    expect(session.dueControl).toBe(FrameKind.reset)
    expect(session.argumentOf(FrameKind.reset)).toBe(ResetReason.timeout)
  })

  it('answers RECLAIM with as many fillers as were asked for, as far as the credits go', () => {
    const session = open()
    session.onFrame(FrameKind.reclaim, 8, 0xffff_ffff)
    let fillers = 0
    for (; session.dueControl === FrameKind.filler; fillers++) session.onSend(FrameKind.filler)
    expect(fillers).toBe(8 - 3)
  })

  it('asks for its receives back when the peer leaves them alone', () => {
    const session = open()
    for (let i = 0; i < 3; i++) session.onFrame(FrameKind.data, 8, 0)
    session.onPosted(session.wantedReceives - session.posted)
    expect(session.posted).toBe(14)
    session.onSend(FrameKind.credit)
    session.receives.announce()
    session.tick()
    expect(session.dueControl).toBe(0)
    session.tick()
    expect(session.dueControl).toBe(FrameKind.reclaim)
    expect(session.argumentOf(FrameKind.reclaim)).toBe(6)
  })

  it('has a last frame to say once both have finished, or when it fails with something to tell', () => {
    const due = Object.keys(ways).filter((state) => ways[state as LifeState]().isLastDue)
    expect(due).toEqual(['parting', 'parted'])
    const session = ways.finished()
    session.fail(ResetReason.timeout)
    expect(session.isLastDue).toBe(true)
    expect(session.dueControl).toBe(FrameKind.reset)
    session.onSend(FrameKind.reset)
    expect(session.isLastDue).toBe(false)
    expect(session.dueControl).toBe(0)
  })

  it('that was reset says nothing any more, whatever was due', () => {
    const session = ways.finished()
    session.onFrame(FrameKind.reset, 8, 0)
    session.fail(ResetReason.destroyed)
    expect(session.isLastDue).toBe(false)
    expect(session.dueControl).toBe(0)
  })

  it('survives any frames: takes them, or says what is wrong with them and stays as it was', () => {
    const frame = fc.tuple(
      fc.constantFrom<FrameKindNumber>(...kinds),
      fc.oneof(fc.nat(30), fc.nat(0xffff_ffff)),
      fc.nat(0xffff_ffff),
    )
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 40 }), (frames) => {
        const session = open()
        for (const [kind, count, argument] of frames) {
          const before = JSON.stringify(session)
          const problem = session.onFrame(kind, count, argument)
          if (problem !== undefined) expect(JSON.stringify(session)).toBe(before)
          for (let kind = session.dueControl; kind !== 0; kind = session.dueControl) session.onSend(kind)
          expect(session.credits.available).toBeLessThanOrEqual(hello.maxPosted)
          if (session.life === 'failed') return
        }
      }),
      { numRuns: 2000 },
    )
  })
})
