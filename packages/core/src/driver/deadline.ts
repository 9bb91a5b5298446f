/** One deadline and one abort signal over the whole of an operation, such as connecting. */
import type { Address } from '../address.js'
import { aborted, type NettsError, timedOut } from '../errors.js'
import { subscribe, unsubscribe } from '../runtime/abort-signals.js'
import { afterPendingInput, type Clock, type ClockTimer, clock } from '../runtime/event-loop.js'
import { checkSignal, checkTimeout } from './options.js'

/**
 * Tells a task that nobody waits for it any more: as much of an AbortSignal as tasks need. A real one for every
 * attempt to connect is a kilobyte of garbage, which is more than a connection keeps.
 */
export interface EndSignal {
  /** Whether the task was cancelled. */
  readonly aborted: boolean
  /** Why; `undefined` while it is not aborted. */
  readonly reason: NettsError | undefined
  /** Throws {@link reason} if the task was cancelled. */
  throwIfAborted(): void
  /** What to do when it is aborted; `undefined` for nothing. Setting it after that does nothing. */
  onabort: (() => void) | undefined
}

/** What {@link withDeadline} runs and cleans up. */
export interface DeadlineTask<T> {
  /** Named in errors, such as `connect`. */
  readonly operation: string
  /** The address, for error messages. */
  readonly address: Address
  /** Cancels the task. */
  readonly signal?: AbortSignal | undefined
  /** 0 has no deadline. */
  readonly timeoutMs: number
  /** Where time comes from, for wires that have a time of their own. @default this machine's */
  readonly clock?: Clock | undefined
  /**
   * Starts the work. `ended` fires when the caller aborts or the deadline passes, with the NettsError as
   * its reason: clean up everything then. What the promise does afterwards matters no more.
   */
  start(ended: EndSignal): Promise<T>
  /** Disposes of a result that came too late. */
  dispose(result: T): void
}

/**
 * Runs a task until it settles, is aborted (`ERR_NETTS_ABORTED`) or its deadline passes
 * (`ERR_NETTS_TIMEOUT`), whichever comes first. A deadline that passed while the program was busy gives pending input
 * one look first. Rejects with `ERR_NETTS_INVALID_ARGUMENT` for a signal or
 * deadline that is none.
 */
export async function withDeadline<T>(task: DeadlineTask<T>): Promise<T> {
  const { timeoutMs, operation, address } = task
  const signal = checkSignal(task.signal)
  checkTimeout('timeoutMs', timeoutMs)
  if (signal?.aborted) throw aborted(signal, operation, address)
  const time = task.clock ?? clock
  return new Promise<T>((resolve, reject) => {
    const ended = new Ended()
    let settled = false
    let timer: ClockTimer | undefined
    const settle = () => {
      settled = true
      timer?.close()
      if (signal) unsubscribe(signal, subscriber)
    }
    const end = (error: NettsError) => {
      if (settled) return
      settle()
      ended.abort(error)
      reject(error)
    }
    const subscriber = { onAbort: () => end(aborted(signal!, operation, address)) }
    if (signal) subscribe(signal, subscriber)
    if (timeoutMs > 0) {
      timer = time.setTimer(() => {
        timer = afterPendingInput(time, () => end(timedOut(operation, timeoutMs, address)))
      }, timeoutMs)
    }
    // A start that throws is a start that rejects, and its timer must not stay behind.
    const started = (async () => task.start(ended))()
    started.then(
      (result) => {
        if (settled) return task.dispose(result)
        settle()
        resolve(result)
      },
      (error) => {
        if (settled) return
        settle()
        reject(error)
      },
    )
  })
}

class Ended implements EndSignal {
  reason: NettsError | undefined
  onabort: (() => void) | undefined

  get aborted(): boolean {
    return this.reason !== undefined
  }

  throwIfAborted(): void {
    if (this.reason) throw this.reason
  }

  abort(reason: NettsError): void {
    this.reason = reason
    this.onabort?.()
  }
}
