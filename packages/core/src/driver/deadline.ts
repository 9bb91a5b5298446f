/** One deadline and one abort signal over the whole of an operation, such as connecting. */
import type { Address } from '../address.js'
import { aborted, type NettsError, timedOut } from '../errors.js'
import { subscribe, unsubscribe } from '../runtime/abort-signals.js'
import { afterPendingInput, type Clock, type ClockTimer, clock } from '../runtime/event-loop.js'
import { checkSignal, checkTimeout } from './options.js'

/**
 * Tells a task that it was cancelled. It has the part of an AbortSignal that tasks need: a real one for each attempt to
 * connect would be a kilobyte of garbage, more than a connection holds.
 */
export interface EndSignal {
  /** Whether the task was cancelled. */
  readonly aborted: boolean
  /** Why it was cancelled: `ERR_NETTS_ABORTED` or `ERR_NETTS_TIMEOUT`; `undefined` while it was not. */
  readonly reason: NettsError | undefined
  /** Throws {@link reason} if the task was cancelled. */
  throwIfAborted(): void
  /** Called once when the task is cancelled. Setting it after that has no effect. */
  onabort: (() => void) | undefined
}

/** What {@link withDeadline} runs and cleans up. */
export interface DeadlineTask<T> {
  /** The name of the operation in errors, such as `connect`. */
  readonly operation: string
  /** The address in errors. */
  readonly address: Address
  /** Cancels the task. */
  readonly signal?: AbortSignal | undefined
  /** The deadline in milliseconds; 0 for none. */
  readonly timeoutMs: number
  /** The clock of the deadline. @default {@link clock} */
  readonly clock?: Clock | undefined
  /**
   * Starts the work. `ended` fires when the caller aborts or the deadline passes, with the NettsError as its reason: free
   * everything then. A rejection after that is ignored.
   */
  start(ended: EndSignal): Promise<T>
  /** Frees a result that came after the task was cancelled. */
  dispose(result: T): void
}

/**
 * Runs a task until it settles, is aborted or its deadline passes, whichever comes first. Before the deadline fires, the
 * event loop looks for pending input, in case the program was busy.
 *
 * Rejects with what the task rejects with, `ERR_NETTS_ABORTED`, `ERR_NETTS_TIMEOUT`, or `ERR_NETTS_INVALID_ARGUMENT` for a
 * `signal` or `timeoutMs` that is not valid.
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
    // An async function: a `start` that throws becomes a rejection, and its timer is closed.
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
