/** A child process that runs a peer's task, as the conformance suite wants it: with an address, and to be killed. */
import type { ChildProcess } from 'node:child_process'
import type { CrashablePeer, PeerTask } from '@netts/conformance'
import type { Address } from '@netts/core'

/** @param child sends the address that it listens at as a message, if that is its task */
export async function crashableChild(child: ChildProcess, task: PeerTask): Promise<CrashablePeer> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const address = await new Promise<Address>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Address))
    child.once('exit', () => reject(new Error('the peer ended')))
    if (task.role === 'connect') resolve(task.address)
  })
  return {
    address,
    crash: () => {
      child.kill('SIGKILL')
      return gone
    },
  }
}

/**
 * Child processes, of which one is always started ahead: in an emulator it takes Node.js longer to start than a test
 * takes. They wait for a message that tells them what to do.
 */
export class ChildrenAhead {
  readonly #start: () => ChildProcess
  #next: ChildProcess | undefined

  constructor(start: () => ChildProcess) {
    this.#start = start
    this.#next = start()
  }

  /** One that is the caller's from here on. */
  take(): ChildProcess {
    const child = this.#next ?? this.#start()
    this.#next = this.#start()
    return child
  }

  /** Ends the one that nobody took. */
  end(): void {
    this.#next?.kill('SIGKILL')
    this.#next = undefined
  }
}
