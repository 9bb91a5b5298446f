/** Drivers that are wrong in calling the waker. */
import type { Transport } from '@netts/core'
import type { Defect } from './broken-driver.js'

type Cause = 'data' | 'completion' | 'end' | 'clean close' | 'failure' | 'own destroy'

/** Drops the calls of the waker that a cause would have made. */
function silentAbout(...silent: Cause[]): (inner: Transport) => Partial<Transport> {
  return (inner) => {
    let waker: (() => void) | undefined
    let completed = 0
    let hasEnded = false
    let isDestroyed = false
    const cause = (): Cause => {
      const now = inner.pollSendCompletion()
      completed += now
      if (inner.pollDisconnect()) {
        if (isDestroyed) return 'own destroy'
        return inner.error ? 'failure' : 'clean close'
      }
      if (inner.recvEnded && !hasEnded) {
        hasEnded = true
        return 'end'
      }
      return now > 0 ? 'completion' : 'data'
    }
    inner.waker = () => {
      if (!silent.includes(cause())) waker?.()
    }
    return {
      pollSendCompletion: () => {
        const reported = completed + inner.pollSendCompletion()
        completed = 0
        return reported
      },
      get sendsInFlight() {
        return inner.state === 'closed' ? 0 : inner.sendsInFlight + completed
      },
      destroy: (error) => {
        isDestroyed = true
        inner.destroy(error)
      },
      get waker() {
        return waker
      },
      set waker(callback) {
        waker = callback
      },
    }
  }
}

export const wakingDefects: readonly Defect[] = [
  {
    name: 'does not wake for data',
    transport: silentAbout('data'),
    breaks: ['the waker is called when data arrived after an empty poll'],
  },
  {
    name: 'does not wake for completions and the capacity that they bring',
    transport: silentAbout('completion'),
    breaks: [
      'the waker is called when a send completed',
      'the waker is called when there is capacity again after a refused send',
      'whenWritable waits while the peer does not read, and no longer',
    ],
  },
  {
    name: "does not wake for the peer's end",
    transport: silentAbout('end'),
    breaks: ['the waker is called when the peer finished'],
  },
  {
    name: 'does not wake for a clean close',
    transport: silentAbout('clean close'),
    breaks: [
      'the waker is called when both directions ended',
      'the waker is called when a disconnect is done',
    ],
  },
  {
    name: 'does not wake for a failure',
    transport: silentAbout('failure'),
    breaks: ['the waker is called when the connection failed'],
  },
  {
    name: 'does not wake for its own destroy',
    transport: silentAbout('own destroy'),
    breaks: ['the waker is called when this side destroyed the transport'],
  },
  {
    name: 'wakes from inside a send',
    transport: (inner) => ({
      sendCopy: (data) => {
        const accepted = inner.sendCopy(data)
        inner.waker?.()
        return accepted
      },
    }),
    breaks: ['the waker is never called from inside a method', 'sendCopy takes no more than maxSendSize'],
  },
  {
    name: 'wakes from inside the assignment',
    transport: (inner) => ({
      get waker() {
        return inner.waker
      },
      set waker(callback) {
        inner.waker = callback
        callback?.()
      },
    }),
    breaks: ['the waker is never called from inside a method'],
  },
  {
    name: 'forgets what was pending when a waker is assigned',
    transport: (inner) => {
      let waker: (() => void) | undefined
      inner.waker = () => waker?.()
      return {
        get waker() {
          return waker
        },
        set waker(callback) {
          waker = callback
        },
      }
    },
    breaks: ['assigning a waker while something is pending schedules a call'],
  },
  {
    name: 'goes on calling a waker that was taken away',
    transport: (inner) => {
      const wakers = new Set<() => void>()
      let latest: (() => void) | undefined
      inner.waker = () => {
        for (const waker of wakers) waker()
      }
      return {
        get waker() {
          return latest
        },
        set waker(callback) {
          latest = callback
          if (callback) wakers.add(callback)
        },
      }
    },
    breaks: ['a waker that was taken away is not called any more'],
  },
  {
    name: 'ignores what is done within a waker',
    transport: (inner) => {
      let waker: (() => void) | undefined
      let isWaking = false
      inner.waker = () => {
        isWaking = true
        waker?.()
        isWaking = false
      }
      return {
        get waker() {
          return waker
        },
        set waker(callback) {
          waker = callback
        },
        finish: () => isWaking || inner.finish(),
        disconnect: () => isWaking || inner.disconnect(),
        destroy: (error) => isWaking || inner.destroy(error),
      }
    },
    breaks: [
      'a waker may call any method, destroy included',
      'a waker that destroys with an error leaves that error',
    ],
  },
]
