import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { createLink, type Link } from './link.js'

/** A network card as QEMU's side of the socket sees it. */
class Card extends Duplex {
  readonly received: Buffer[] = []
  private pending = Buffer.alloc(0)

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.pending = Buffer.concat([this.pending, chunk])
    while (this.pending.byteLength >= 4 && this.pending.byteLength >= 4 + this.pending.readUInt32BE(0)) {
      const end = 4 + this.pending.readUInt32BE(0)
      this.received.push(this.pending.subarray(4, end))
      this.pending = this.pending.subarray(end)
    }
    done()
  }

  send(...frames: Buffer[]): void {
    for (const frame of frames) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(frame.byteLength)
      this.push(length)
      this.push(frame)
    }
  }
}

const frames = Array.from({ length: 200 }, (_, index) => Buffer.alloc(100, index))
let cards: [Card, Card]
let carriers: boolean[]
let link: Link

beforeEach(() => {
  cards = [new Card(), new Card()]
  carriers = [true, true]
  const end = (index: 0 | 1) => ({
    card: cards[index],
    setCarrier: async (up: boolean) => {
      carriers[index] = up
    },
  })
  link = createLink([[end(0), end(1)]])
})

/** Sends all frames from host 1 to host 2 and returns what arrived. */
async function sendAll(): Promise<Buffer[]> {
  cards[1].received.length = 0
  cards[0].send(...frames)
  await delay(1)
  return [...cards[1].received]
}

describe('the link between two guests', () => {
  test('carries frames both ways, in order', async () => {
    cards[1].send(frames[1]!)
    expect(await sendAll()).toEqual(frames)
    expect(cards[0].received).toEqual([frames[1]])
    expect(link.statistics).toMatchObject({ frames: 201, byteLength: 20_100, dropped: 0, corrupted: 0 })
  })

  test('loses frames at the rate asked for, the same ones for the same seed', async () => {
    link.impair({ dropRate: 0.25, seed: 9 })
    const first = await sendAll()
    link.impair({ dropRate: 0.25, seed: 9 })
    expect(await sendAll()).toEqual(first)
    expect(first.length).toBeGreaterThan(120)
    expect(first.length).toBeLessThan(180)
    expect(link.statistics.dropped).toBe(2 * (frames.length - first.length))
  })

  test('corrupts one byte of a frame, behind its headers', async () => {
    link.impair({ corruptRate: 1 })
    for (const [index, frame] of (await sendAll()).entries()) {
      const changed = [...frame].flatMap((byte, at) => (byte === frames[index]![at] ? [] : [at]))
      expect(changed).toHaveLength(1)
      expect(changed[0]).toBeGreaterThanOrEqual(42)
    }
  })

  test('impairs only the frames that are picked', async () => {
    link.impair({ dropRate: 1, matches: (frame, fromHost) => fromHost === 1 && frame[0] === 5 })
    expect(await sendAll()).toEqual(frames.filter((_, index) => index !== 5))
  })

  test('delays frames without reordering them, and delivers them even after it healed', async () => {
    link.impair({ delayMs: 30 })
    expect(await sendAll()).toEqual([])
    link.heal()
    await delay(100)
    expect(cards[1].received).toEqual(frames)
  })

  test('carries nothing while it is down, and tells both guests', async () => {
    await link.down()
    expect(carriers).toEqual([false, false])
    expect(await sendAll()).toEqual([])
    await link.up()
    expect(carriers).toEqual([true, true])
    expect(await sendAll()).toEqual(frames)
  })

  test('says when so many more bytes went over it', async () => {
    let reached = false
    const moment = link.carried(1_000).then(() => {
      reached = true
    })
    cards[0].send(...frames.slice(0, 9))
    await delay(1)
    expect(reached).toBe(false)
    cards[0].send(frames[9]!)
    await moment
    await expect(link.carried(1_000, 5)).rejects.toThrow('1000 of 1000 bytes too few')
  })
})
