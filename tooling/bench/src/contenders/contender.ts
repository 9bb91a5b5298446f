/**
 * What takes part in the benchmark. A driver or a peer joins with one file beside this one and one entry
 * in `index.ts`: how it listens, connects, sends and receives, each written the way its users write it.
 */

import type { RunSpec } from '../spec.js'

/** Where a server side listens: whatever its client side needs, as JSON. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly url: string }

/** One connection, as the traffic generators see it. Its hot members allocate nothing of their own. */
export interface Channel {
  /**
   * Sends a payload that nobody changes afterwards. It is always taken.
   *
   * @returns `false` when the caller should wait for {@link onDrain} before it sends more.
   */
  send(payload: Uint8Array): boolean
  /** Sends back what {@link onReceive} was just handed; the bytes are valid during this call only. */
  echo(chunk: Uint8Array, byteOffset: number, byteLength: number): void
  /** Called with every message, or for `delivers: 'bytes'` with every chunk of the stream. */
  onReceive: (chunk: Uint8Array, byteOffset: number, byteLength: number) => void
  /** Called once more may be sent, after {@link send} said `false`. */
  onDrain: () => void
  /** Called when the connection fails, or ends before {@link close}. */
  onFailure: (error: Error) => void
  /** Ends the connection the contender's graceful way. */
  close(): Promise<void>
}

/** What both ends know before they connect. */
export interface WireOptions {
  /** The host to listen on. */
  readonly host: string
  /** How many connections there will be. */
  readonly connections: number
  /** The size of every payload in bytes. */
  readonly byteLength: number
}

/** A server side that listens. */
export interface Listening {
  /** One endpoint for all connections, or one for each. */
  readonly endpoints: readonly Endpoint[]
  close(): Promise<void>
}

/** A contender's code, loaded in the worker processes only. */
export interface Wire {
  listen(options: WireOptions, accept: (channel: Channel) => void): Promise<Listening>
  connect(endpoint: Endpoint, options: WireOptions): Promise<Channel>
}

/** One contender of the list. */
export type Contender = ChannelContender | ProgramContender

interface ContenderBase {
  /** Stable: used in JSON and on the command line. */
  readonly id: string
  /** Shown to people. */
  readonly title: string
  /** One sentence: how it is used here. */
  readonly about: string
  /** It needs an RDMA device, and so takes part in the lab alone. @default false */
  readonly needsRdma?: boolean
  /** Why it can't carry some traffic, in words that are printed; `undefined` when it can. @default it can */
  unsupported?(spec: Omit<RunSpec, 'contender' | 'host'>): string | undefined
  /** Why it can't run on this machine; `undefined` when it can. @default it can */
  unavailable?(): Promise<string | undefined>
}

/** What is written in JavaScript, and driven payload by payload in the worker processes. */
export interface ChannelContender extends ContenderBase {
  /** Whether it delivers messages, or a stream of bytes that is cut into equal payloads. */
  readonly delivers: 'messages' | 'bytes'
  /** 1 for what lives in memory and can't leave its process. */
  readonly processes: 1 | 2
  /** Variables for the environment of its worker processes. @default none */
  environment?(): Readonly<Record<string, string>>
  load(): Promise<Wire>
}

/** A program that measures itself. */
export interface ProgramContender extends ContenderBase {
  /** @returns figures, by the ids of metrics */
  run(spec: RunSpec): Promise<Record<string, number>>
}

/** What every channel begins with, before the traffic sets it. */
export abstract class ChannelEvents {
  onReceive: Channel['onReceive'] = () => {}
  onDrain: Channel['onDrain'] = () => {}
  onFailure: Channel['onFailure'] = () => {}
}
