/** Random schedules: both ends do anything at any time, and a model checks the result. */
import assert from 'node:assert/strict'
import type { Context } from '../harness/context.js'
import { turn } from '../harness/deadline.js'
import type { Endpoint, HeldChunk, SendMethod } from '../harness/endpoint.js'
import { Random } from '../harness/random.js'
import type { Area } from './area.js'

const METHODS: readonly SendMethod[] = ['sendCopy', 'sendGather', 'sendBuffer']

/** One end, as the schedule knows it. */
class Actor {
  readonly end: Endpoint
  readonly #random: Random
  readonly #held: HeldChunk[] = []
  finished = false

  constructor(end: Endpoint, random: Random) {
    this.end = end
    this.#random = random
  }

  /** Does one thing, whatever is allowed now. */
  act(): void {
    const { end } = this
    switch (this.#random.integer(0, 9)) {
      case 0:
      case 1:
      case 2:
        if (!this.finished) end.trySend(this.#size(), this.#random.pick(METHODS))
        break
      case 3:
      case 4:
      case 5:
        this.#held.push(...end.take(this.#random.integer(0, 5)))
        break
      case 6:
      case 7:
        this.#random.shuffle(this.#held)
        for (let n = this.#random.integer(0, this.#held.length); n > 0; n--) end.release(this.#held.pop()!)
        break
      case 8:
        end.transport.pollSendCompletion()
        break
      default:
        end.transport.pollDisconnect()
        for (const chunk of this.#held) end.checkHeld(chunk)
    }
  }

  finish(): void {
    this.finished = true
    this.end.transport.finish()
  }

  releaseAll(): void {
    for (const chunk of this.#held.splice(0)) this.end.release(chunk)
  }

  #size(): number {
    const { maxSendSize } = this.end.transport
    return this.#random.pick([
      this.#random.integer(1, 16),
      this.#random.integer(1, maxSendSize),
      maxSendSize - 1,
      maxSendSize,
      maxSendSize + this.#random.integer(1, maxSendSize),
    ])
  }
}

/** Runs the schedule that the seed decides; a failure names the seed. */
export async function runSchedule(context: Context, seed: number): Promise<void> {
  try {
    await play(context, seed)
  } catch (error) {
    throw new Error(`a random schedule failed; replay it with { seed: ${seed}, schedules: 1 }`, {
      cause: error,
    })
  }
}

async function play(context: Context, seed: number): Promise<void> {
  const random = new Random(seed)
  const { client, server } = await context.pair()
  const actors = [new Actor(client, random), new Actor(server, random)] as const
  for (let steps = random.integer(50, 400); steps > 0; steps--) {
    random.pick(actors).act()
    const rest = random.integer(0, 19)
    // Turns of the event loop rather than time: over a wire without timers, the seed determines the whole run.
    for (let turns = rest < 4 ? 1 : rest === 4 ? random.integer(2, 8) : 0; turns > 0; turns--) await turn()
    if (random.chance(0.004)) random.pick(actors).finish()
  }
  if (random.chance(0.25)) await endAbruptly(actors, random)
  else await endCleanly(actors, random)
}

/** Both finish at some time: every byte accepted must arrive. */
async function endCleanly(actors: readonly [Actor, Actor], random: Random): Promise<void> {
  const [a, b] = actors
  for (const actor of actors) actor.releaseAll()
  if (random.chance(0.3)) {
    // One side disconnects: its input is discarded, its output arrives.
    a.finished = true
    a.end.transport.disconnect()
    await b.end.receiveToEnd()
    b.end.transport.disconnect()
  } else {
    for (const actor of actors) if (!actor.finished) actor.finish()
    await Promise.all([a.end.receiveToEnd(), b.end.receiveToEnd()])
  }
  for (const { end } of actors) assert.equal(await end.closed(), undefined)
}

/** One side destroys its transport: the other receives a prefix of what was sent, and then the end or an error. */
async function endAbruptly(actors: readonly [Actor, Actor], random: Random): Promise<void> {
  const [gone, left] = random.shuffle([...actors]) as [Actor, Actor]
  gone.end.transport.destroy()
  // Release everything: while the receive window is full, a socket is not read and does not report its peer's end.
  for (const actor of actors) actor.releaseAll()
  await left.end.ended()
}

export const randomScheduleRules: Area = (rule, settings) => {
  for (let i = 0; i < settings.schedules; i++) {
    const seed = (settings.seed + i) >>> 0
    rule(`schedule ${i + 1} of ${settings.schedules}`, (context) => runSchedule(context, seed))
  }
}
