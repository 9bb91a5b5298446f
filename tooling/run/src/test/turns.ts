/**
 * Steps that run at the same time, and print one after the other: a step needs a processor now and then, and the lab's
 * emulator all the time, so that two at a time keep two cores busy.
 */

/** What can run once others have ended. */
export interface Planned {
  readonly name: string
  /** The names of those that have to end first, as far as they are run at all. */
  readonly needs?: readonly string[]
}

/**
 * Runs everything, `most` at a time, in the given order as far as their needs allow.
 * @throws whatever `run` rejects with, and Error when a need can't be met
 */
export async function runInTurns<T extends Planned>(
  all: readonly T[],
  most: number,
  run: (one: T) => Promise<void>,
): Promise<void> {
  const unfinished = new Set(all.map(({ name }) => name))
  const waiting = [...all]
  const running = new Set<Promise<void>>()
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex(({ needs }) => !needs?.some((name) => unfinished.has(name)))
    if (next >= 0 && running.size < most) {
      const [one] = waiting.splice(next, 1) as [T]
      const end = run(one).then(() => {
        unfinished.delete(one.name)
        running.delete(end)
      })
      running.add(end)
    } else {
      if (running.size === 0) throw new Error(`${waiting[0]!.name} waits for what waits for it`)
      await Promise.race(running)
    }
  }
}

/** Where one of several programs prints. */
export interface Output {
  write(data: string | Uint8Array): void
  /** It prints nothing more: the next one has the turn. */
  end(): void
}

/** The first output that is opened prints at once; what others print is kept until those before them have ended. */
export class Outputs {
  readonly #print: (data: string | Uint8Array) => void
  /** Those that have not ended, or ended with something kept. The first has the turn. */
  readonly #open: { kept: (string | Uint8Array)[]; hasEnded: boolean }[] = []

  constructor(print: (data: string | Uint8Array) => void) {
    this.#print = print
  }

  open(): Output {
    const mine = { kept: [] as (string | Uint8Array)[], hasEnded: false }
    this.#open.push(mine)
    return {
      write: (data) => {
        if (this.#open[0] === mine) this.#print(data)
        else mine.kept.push(data)
      },
      end: () => {
        mine.hasEnded = true
        this.#passOn()
      },
    }
  }

  #passOn(): void {
    while (this.#open[0]?.hasEnded) {
      this.#open.shift()
      for (const data of this.#open[0]?.kept ?? []) this.#print(data)
      if (this.#open[0]) this.#open[0].kept = []
    }
  }
}
