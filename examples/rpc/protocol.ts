/** The messages of the RPC example, as JSON. */

/** Calls a method. */
export interface CallMessage {
  /** The number of the call, which its answer repeats. */
  readonly id: number
  readonly method: string
  readonly argument: unknown
  /** How long the caller waits for the answer. */
  readonly timeoutMs: number
}

/** Cancels a call: the caller no longer waits for the answer. */
export interface CancelMessage {
  readonly id: number
  readonly cancel: true
}

/** The answer to a call: a result or an error. */
export interface AnswerMessage {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** Encodes a message. */
export function encode(message: CallMessage | CancelMessage | AnswerMessage): Buffer {
  return Buffer.from(JSON.stringify(message))
}

/** Decodes a message. @throws Error when the peer sent something that is not an object with an id */
export function decode<M extends { readonly id: number }>(bytes: Buffer): M {
  const message: unknown = JSON.parse(bytes.toString())
  if (!Number.isInteger((message as Partial<M> | null)?.id))
    throw new Error('the peer sent something that is not a message of this protocol')
  return message as M
}
