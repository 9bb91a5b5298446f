/** What the conductor and its worker processes say to each other: one reply for each command. */
import type { Endpoint } from '../contenders/contender.js'
import type { RunSpec } from '../spec.js'

/** Which end of the connections. What can't leave its process has both in one worker. */
export type SideName = 'server' | 'client'

/** What one side measured between `begin` and `end`. */
export interface SideSample {
  readonly elapsedMs: number
  /** User and system time of the process, all threads. */
  readonly cpuMs: number
  /** Payloads received whole; for the sending side of a flood, payloads sent. */
  readonly payloads: number
  /** What the resident set, memory of buffers outside of V8's heap, and memory pinned for devices grew, in bytes. */
  readonly rssGrowthBytes: number
  readonly externalGrowthBytes: number
  readonly pinnedGrowthBytes: number
  /** V8 heap bytes allocated, whether or not they were collected since. */
  readonly heapAllocatedBytes?: number | undefined
  /** Nanoseconds, as a compressed HDR histogram in base64. */
  readonly latency?: string | undefined
  /** How late timers of the process came. */
  readonly lateness?: Lateness | undefined
}

/** Nanoseconds between the moment a timer was due and the moment it fired. */
export interface Lateness {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Commands, their arguments and their results. */
export interface Commands {
  /** Loads the contender; the server listens, the client connects. */
  open(spec: RunSpec, endpoints?: readonly Endpoint[]): readonly Endpoint[]
  /** Traffic begins. */
  start(): void
  /** The measured window begins. */
  begin(): void
  /** The measured window ends. */
  end(): SideSample
  /** Traffic stops. The client tells how many payloads it sent. */
  stop(): number
  /** Waits until this many payloads were received; fails when more come, or fewer. */
  settle(total: number): void
  close(): void
}

export type CommandName = keyof Commands

export interface CommandMessage<N extends CommandName = CommandName> {
  readonly side: SideName
  readonly name: N
  readonly args: Parameters<Commands[N]>
}

/** A reply, or a failure that nobody asked for; the latter ends the run. */
export type WorkerMessage =
  | { readonly side: SideName; readonly name: CommandName; readonly result: unknown }
  | {
      readonly failure: {
        readonly name: string
        readonly message: string
        readonly stack?: string | undefined
      }
    }
