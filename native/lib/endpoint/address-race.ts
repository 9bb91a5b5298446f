/**
 * Tries the addresses of a name one after the other, each with a head start before the next, until one of them answers
 * (RFC 8305, "Happy Eyeballs"). An address that does not answer costs no more than its head start.
 */
import { NettsError } from '@netts/core'
import type { EndSignal } from '@netts/core/driver'
import type { Clock, ClockTimer } from '../verbs/verbs.js'

/** How long an attempt goes on before the next one starts beside it (RFC 8305, section 5). */
const HEAD_START_MS = 250

/** An attempt to connect to one address. */
export interface Attempt<T> {
  /** Connects. Called once. A result or failure after {@link abandon} is ignored. */
  run(): Promise<T>
  /** Ends the attempt at any step, also when it has just succeeded, and gives everything back. */
  abandon(reason: NettsError): void
}

/**
 * Resolves with the first success. Rejects with the last failure when every address has failed, or at once with a
 * failure that `isConclusive`.
 * @param ended stops every attempt when it fires; then the promise stays pending
 * @param isConclusive whether other addresses are not to be tried after this failure
 */
export function raceAddresses<T>(
  clock: Clock,
  addresses: readonly string[],
  ended: EndSignal,
  start: (address: string) => Attempt<T>,
  isConclusive: (error: unknown) => boolean,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const running = new Set<Attempt<T>>()
    let next = 0
    let headStart: ClockTimer | undefined

    const stop = (reason: NettsError) => {
      headStart?.close()
      ended.onabort = undefined
      const losers = [...running]
      running.clear()
      for (const attempt of losers) attempt.abandon(reason)
    }
    const tryNext = () => {
      headStart?.close()
      const attempt = start(addresses[next++] as string)
      running.add(attempt)
      attempt.run().then(
        (result) => {
          if (!running.delete(attempt)) return
          stop(new NettsError('ERR_NETTS_CLOSED', 'another address answered first'))
          resolve(result)
        },
        (error) => {
          if (!running.delete(attempt)) return
          if (isConclusive(error) || (next === addresses.length && running.size === 0)) {
            stop(new NettsError('ERR_NETTS_CLOSED', 'another address refused'))
            reject(error)
          } else if (next < addresses.length) tryNext()
        },
      )
      if (next < addresses.length) headStart = clock.setTimer(tryNext, HEAD_START_MS)
    }
    ended.onabort = () => stop(ended.reason as NettsError)
    tryNext()
  })
}
