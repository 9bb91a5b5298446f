/** The messages between the halves of simulated queue pairs, and what the halves need of their queue pair. */
import type { QueuePair } from '../verbs/queue-pair.js'
import type { Completion, SimulatedCompletionQueue } from './completion-queue.js'
import type { Machine, MachineDevice } from './machine.js'
import type { SendRequest } from './send-request.js'
import type { ReceiveRequest } from './shared-receive-queue.js'

/** A request on its way. */
export interface Flight {
  readonly request: SendRequest
  /** Whether its outcome is known. */
  done: boolean
  status: number
}

/** The response to a request: its outcome, or that the peer has no receive for it. */
export interface Response {
  readonly flight: Flight
  readonly status: number
  readonly receiverNotReady: boolean
  /** The bytes that a Read or an atomic brought. */
  readonly data: Uint8Array | undefined
}

/** A request on the wire, with the bytes it carries. */
export interface RequestPacket {
  readonly flight: Flight
  readonly data: Uint8Array
  /** Bytes of a Write that are in memory already: it becomes visible piece by piece. */
  written: number
}

/** The half that sends requests. */
export interface RequestingHalf {
  /** A response arrives. */
  receive(response: Response): void
  /** iWARP: the peer ended the TCP connection. */
  cutOff(): void
}

/** The half that carries out the peer's requests. */
export interface RespondingHalf {
  /** A packet arrives. */
  receive(packet: RequestPacket): void
  /** The peer repeats a request for which there was no receive. */
  tryAgain(): void
  /** iWARP: the peer's TCP connection has ended, after everything that it sent. */
  endStream(): void
}

/** A queue pair, as its halves see it. */
export interface QueuePairEnd extends QueuePair {
  readonly host: Machine
  readonly device: MachineDevice
  readonly label: string
  readonly closed: boolean
  readonly protectionDomain: object
  readonly sendCompletionQueue: SimulatedCompletionQueue
  readonly requester: RequestingHalf
  readonly responder: RespondingHalf
  readonly peer: QueuePairEnd | undefined
  readonly initiatorDepth: number
  readonly responderResources: number
  readonly rnrRetryCount: number
  readonly rnrDelayMs: number
  /** How many milliseconds the peer may be silent before the connection counts as broken. */
  readonly patienceMs: number
  /** Whether packets pass between this queue pair and its peer. */
  readonly linked: boolean
  /** Whether the peer would answer. */
  readonly peerListens: boolean
  /** Whether this end has to wait for the peer's first message (iWARP). */
  readonly mustNotSpeakYet: boolean
  readonly hasReceive: boolean
  readonly onFirstMessage: (() => void) | undefined
  takeReceive(): ReceiveRequest | undefined
  completeReceive(
    receive: ReceiveRequest,
    outcome: Pick<Completion, 'status' | 'opcode' | 'flags' | 'byteLength' | 'immediate' | 'solicited'>,
  ): void
  /** Works out what can happen next. */
  refresh(): void
  /** Moves it to the error state. */
  fail(): void
}
