/** The messages of the RPC example, as JSON. */

/** Asks for a result within a time, in milliseconds. */
export interface CallMessage {
  readonly id: number
  readonly method: string
  readonly argument: unknown
  readonly timeoutMs: number
}

/** The caller does not wait any more. */
export interface CancelMessage {
  readonly id: number
  readonly cancel: true
}

/** What came of a call. */
export interface AnswerMessage {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** @param message one of the messages above */
export function encode(message: CallMessage | CancelMessage | AnswerMessage): Buffer {
  return Buffer.from(JSON.stringify(message))
}

/** @throws Error when the peer sent no object with an id */
export function decode<M extends { readonly id: number }>(bytes: Buffer): M {
  const message: unknown = JSON.parse(bytes.toString())
  if (!Number.isInteger((message as Partial<M> | null)?.id))
    throw new Error('the peer sent no message of this protocol')
  return message as M
}
