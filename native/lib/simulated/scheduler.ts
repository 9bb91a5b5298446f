/**
 * Decides what happens next in a simulated fabric: a seeded choice among everything that can happen.
 *
 * There are two kinds of steps. *Device* steps are what adapters and the network do: they happen at any moment, also
 * between two calls of a program, as with real hardware. *Program* steps are callbacks from an event loop: they happen
 * only while no program code runs.
 *
 * Time is virtual: a turn of an event loop takes a microsecond, and otherwise time passes only when nothing else can
 * happen, or nothing but polling. (With `drive: 'auto'` it is the machine's time.)
 */
import { now } from '@netts/core/driver'
import type { ClockTimer } from '../verbs/verbs.js'
import type { Schedule } from './contract.js'
import type { Random } from './random.js'

/** Who takes a step: the hardware, or a program's event loop. */
export type StepKind = 'device' | 'program'

const TRACE_LENGTH = 200
const TURN_MS = 0.001
/**
 * Time passes after each polling program has polled so often in a row while nothing else happened. (A deadline needs
 * three turns to look once more.)
 */
const VAIN_POLLS = 4

/** Something that can happen whenever it is enabled. */
export class Step {
  readonly kind: StepKind
  readonly name: string
  readonly run: () => void
  /** Whether this is a program's polling: time passes when nothing else happens. */
  readonly polls: boolean
  readonly #scheduler: Scheduler
  /** The machine to whose program it brings input, such as an event: it comes before that program's immediates. */
  inputOf: object | undefined
  /** Called once when this step is disabled, because it has happened or no longer can. */
  readonly followers = new Set<() => void>()
  /** Place in the scheduler's list of enabled steps; -1 when it is not. */
  index = -1
  /** The number of steps taken when it was enabled. */
  enabledAt = 0
  /** For hostile schedules: the highest goes first. */
  priority: number

  constructor(scheduler: Scheduler, kind: StepKind, name: string, run: () => void, polls = false) {
    this.polls = polls
    this.#scheduler = scheduler
    this.priority = scheduler.newPriority()
    this.kind = kind
    this.name = name
    this.run = run
  }

  set enabled(enabled: boolean) {
    if (enabled !== this.index >= 0) this.#scheduler.toggle(this)
  }
}

interface Timer {
  readonly dueMs: number
  readonly step: Step
}

/** All enabled steps, all timers, the time, and what happened so far. */
export class Scheduler {
  readonly #random: Random
  readonly #enabled: Record<StepKind, Step[]> = { device: [], program: [] }
  /** By due time, the earliest last. */
  readonly #timers: Timer[] = []
  readonly #trace: string[] = []
  readonly #realTime: boolean
  readonly #schedule: Schedule
  #virtualMs = 0
  /** Enabled steps of programs that poll. */
  #polling = 0
  /** How many polls in a row happened while nothing else did. */
  #pollInVain = 0
  #running = false
  #last: Step | undefined
  /** Called when something becomes possible. */
  onWork: (() => void) | undefined
  /** Called before each step with its number; may inject faults. */
  onStep: ((step: number) => void) | undefined
  /** Steps taken so far. */
  steps = 0

  constructor(random: Random, schedule: Schedule, realTime: boolean) {
    this.#random = random
    this.#schedule = schedule
    this.#realTime = realTime
  }

  newPriority(): number {
    return this.#schedule === 'hostile' ? this.#random.next() : 0
  }

  get nowMs(): number {
    return this.#realTime ? now() : this.#virtualMs
  }

  /** When the next timer is due; `undefined` when there is none. */
  get nextTimerMs(): number | undefined {
    return this.#timers.at(-1)?.dueMs
  }

  /** Whether something can happen at this time. */
  get hasWork(): boolean {
    return this.#enabled.device.length + this.#enabled.program.length > 0
  }

  /** The latest steps, one a line. */
  get trace(): string {
    return this.#trace.join('\n')
  }

  toggle(step: Step): void {
    const list = this.#enabled[step.kind]
    if (step.index >= 0) {
      const moved = list.pop() as Step
      if (moved !== step) {
        list[step.index] = moved
        moved.index = step.index
      }
      step.index = -1
      if (step.polls) this.#polling--
      this.#happened(step)
    } else {
      step.index = list.push(step) - 1
      step.enabledAt = this.steps
      if (step.polls) this.#polling++
      this.onWork?.()
    }
  }

  /**
   * Enables a step of a program when all input that is waiting for that program now was taken.
   * @returns a function that cancels it
   */
  enableBehindInput(step: Step, program: object): () => void {
    const waiting = new Set(this.#enabled.program.filter(({ inputOf }) => inputOf === program))
    const follow = new Map<Step, () => void>()
    for (const input of waiting) {
      const onHappened = () => {
        waiting.delete(input)
        if (waiting.size === 0) step.enabled = true
      }
      follow.set(input, onHappened)
      input.followers.add(onHappened)
    }
    if (waiting.size === 0) step.enabled = true
    return () => {
      for (const [input, onHappened] of follow) input.followers.delete(onHappened)
      step.enabled = false
    }
  }

  #happened(step: Step): void {
    for (const follower of [...step.followers]) {
      step.followers.delete(follower)
      follower()
    }
  }

  setTimer(kind: StepKind, name: string, delayMs: number, callback: () => void): ClockTimer {
    const step = new Step(this, kind, name, () => {
      step.enabled = false
      callback()
    })
    const timer: Timer = { dueMs: this.nowMs + Math.max(0, delayMs), step }
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#timers[middle] as Timer).dueMs > timer.dueMs) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, timer)
    this.onWork?.()
    return {
      close: () => {
        step.enabled = false
        const at = this.#timers.indexOf(timer)
        if (at >= 0) this.#timers.splice(at, 1)
      },
    }
  }

  /**
   * Takes one step. @returns its kind; `undefined` when nothing can happen at this time
   * @param limitMs time does not pass beyond this
   */
  step(limitMs: number): StepKind | undefined {
    if (this.#pollInVain > VAIN_POLLS * this.#polling && this.#onlyPolling) this.passTime(limitMs)
    this.#enableDueTimers()
    if (!this.hasWork) return undefined
    this.onStep?.(this.steps)
    // A fault may have disabled everything.
    if (!this.hasWork) return 'device'
    if (this.#onlyPolling) {
      this.#pollInVain++
      return this.#run(this.#longestWaiting())
    }
    this.#pollInVain = 0
    return this.#run(this.#schedule === 'hostile' ? this.#chooseByPriority() : this.#chooseFairly())
  }

  /** Whether programs poll, and nothing else can happen. */
  get #onlyPolling(): boolean {
    const { device, program } = this.#enabled
    return this.#polling > 0 && device.length === 0 && program.length === this.#polling
  }

  /** Polling programs take turns, so that time passes only when none of them finds anything. */
  #longestWaiting(): Step {
    return this.#enabled.program.reduce((oldest, step) => (step.enabledAt < oldest.enabledAt ? step : oldest))
  }

  #chooseFairly(): Step {
    // Now and then the same step runs several times: such bursts find other faults than a fair choice.
    const last = this.#last
    if (last && last.index >= 0 && this.#random.chance(0.3)) return last
    const { device, program } = this.#enabled
    const chosen = this.#random.below(device.length + program.length)
    return (chosen < device.length ? device[chosen] : program[chosen - device.length]) as Step
  }

  #chooseByPriority(): Step {
    let chosen: Step | undefined
    for (const list of [this.#enabled.device, this.#enabled.program]) {
      for (const step of list) if (!chosen || step.priority > chosen.priority) chosen = step
    }
    if (this.#random.chance(0.1)) (chosen as Step).priority = this.#random.next()
    return chosen as Step
  }

  /**
   * Called at the beginning of every verb: takes some device steps or none, because devices do not wait for programs.
   */
  interleave(): void {
    if (this.#running || !this.#random.chance(0.3)) return
    const { device } = this.#enabled
    // With every schedule: anything may happen between two calls.
    for (let left = 1 + this.#random.below(3); left > 0 && device.length > 0; left--) {
      this.#run(device[this.#random.below(device.length)] as Step)
    }
  }

  /** A program computes until this time without returning to its event loop: only device steps happen. */
  compute(untilMs: number): void {
    for (;;) {
      this.#enableDueTimers()
      const { device } = this.#enabled
      if (device.length > 0) this.#run(device[this.#random.below(device.length)] as Step)
      else if (!this.passTime(untilMs)) break
    }
    this.skipTo(untilMs)
  }

  /** Lets time pass up to the next timer. @returns false when there is none up to `limitMs` */
  passTime(limitMs: number): boolean {
    const next = this.nextTimerMs
    if (next === undefined || this.#realTime) return false
    this.skipTo(Math.min(next, limitMs))
    return next <= limitMs
  }

  /** Sets the time to `timeMs`, unless it is later already. */
  skipTo(timeMs: number): void {
    this.#virtualMs = Math.max(this.#virtualMs, timeMs)
  }

  #enableDueTimers(): void {
    const { nowMs } = this
    for (let next = this.#timers.at(-1); next && next.dueMs <= nowMs; next = this.#timers.at(-1)) {
      this.#timers.pop()
      next.step.enabled = true
    }
  }

  #run(step: Step): StepKind {
    this.steps++
    this.#last = step
    if (this.#trace.length === TRACE_LENGTH) this.#trace.shift()
    this.#trace.push(`${this.steps} ${this.nowMs.toFixed(3)} ms ${step.name}`)
    if (step.kind === 'program') {
      this.#virtualMs += TURN_MS
      step.run()
      this.#happened(step)
      return 'program'
    }
    this.#running = true
    try {
      step.run()
    } finally {
      this.#running = false
    }
    return 'device'
  }
}
