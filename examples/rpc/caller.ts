/** Calls over one connection: any number at the same time, each with a deadline and a signal. */
import type { Connection } from '@netts/core'
import { type AnswerMessage, decode, encode } from './protocol.js'

/** Options of a call. */
export interface CallOptions {
  /** How long to wait for the answer, in milliseconds. The server is told. @default 1000 */
  readonly timeoutMs?: number
  /** Cancels the call. The server is told. */
  readonly signal?: AbortSignal
}

/** The calling side of a connection. */
export interface Caller {
  /** Rejects with the server's error, a `TimeoutError`, the signal's reason, or the error that ended the connection. */
  call(method: string, argument: unknown, options?: CallOptions): Promise<unknown>
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** Makes a caller, which receives from the connection from then on. You close the connection. */
export function createCaller(connection: Connection): Caller {
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  let ended: unknown

  const read = async () => {
    for await (const bytes of connection) {
      const { id, result, error } = decode<AnswerMessage>(bytes)
      // There is no entry for a call that was cancelled.
      if (error === undefined) waiting.get(id)?.resolve(result)
      else waiting.get(id)?.reject(new Error(error))
    }
    throw new Error('the server ended the connection')
  }
  read().catch((error) => {
    ended = error
    for (const { reject } of waiting.values()) reject(error)
    connection.destroy()
  })

  return {
    async call(method, argument, { timeoutMs = 1000, signal } = {}) {
      signal?.throwIfAborted()
      if (ended) throw ended
      const id = ++lastId
      const answered = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
      const giveUp = (reason: unknown) => {
        waiting.get(id)?.reject(reason)
        connection.send(encode({ id, cancel: true })).catch(() => {})
      }
      const onAbort = () => giveUp(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      const timer = setTimeout(() => {
        giveUp(new DOMException(`${method} did not answer within ${timeoutMs} ms`, 'TimeoutError'))
      }, timeoutMs)
      try {
        const [result] = await Promise.all([
          answered,
          connection.send(encode({ id, method, argument, timeoutMs })),
        ])
        return result
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        waiting.delete(id)
      }
    },
  }
}
