/** The error type. */
import { describe, expect, it, vi } from 'vitest'
import { aborted, isNettsError, NettsError, timedOut } from './errors.js'

const address = { host: '10.0.0.1', port: 80 }

describe('NettsError', () => {
  it('carries what a program and a person need', () => {
    const cause = new Error('ECONNREFUSED')
    const error = new NettsError('ERR_NETTS_CONNECT_FAILED', 'refused', {
      cause,
      operation: 'connect',
      address,
    })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'NettsError',
      code: 'ERR_NETTS_CONNECT_FAILED',
      message: 'refused',
      cause,
      operation: 'connect',
      address,
    })
    expect(Object.hasOwn(new NettsError('ERR_NETTS_CLOSED', 'closed'), 'cause')).toBe(false)
  })

  it('is recognised when another copy of this package made it', async () => {
    vi.resetModules()
    const other = await import('./errors.js')
    expect(other.NettsError).not.toBe(NettsError)
    const error: unknown = new other.NettsError('ERR_NETTS_CLOSED', 'closed')
    expect(error instanceof NettsError).toBe(true)
    expect(isNettsError(error)).toBe(true)
  })

  it('is no other error, and no other value', () => {
    for (const value of [new Error('x'), { code: 'ERR_NETTS_CLOSED' }, undefined, null, 'x']) {
      expect(isNettsError(value)).toBe(false)
      expect(value instanceof NettsError).toBe(false)
    }
  })
})

it('can be derived from, without every error being of the derived class', () => {
  class DerivedError extends NettsError {}
  expect(new NettsError('ERR_NETTS_CLOSED', 'closed')).not.toBeInstanceOf(DerivedError)
  expect(new DerivedError('ERR_NETTS_CLOSED', 'closed')).toBeInstanceOf(DerivedError)
  expect(new DerivedError('ERR_NETTS_CLOSED', 'closed')).toBeInstanceOf(NettsError)
})

describe('the errors that many operations share', () => {
  it('say what was cancelled, or ran out of time, and where', () => {
    expect(aborted(AbortSignal.abort('why'), 'connect', address)).toMatchObject({
      code: 'ERR_NETTS_ABORTED',
      message: 'connect was aborted',
      cause: 'why',
      operation: 'connect',
      address,
    })
    expect(timedOut('connect', 50, address)).toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      message: 'connect to 10.0.0.1:80 did not complete within 50 ms',
    })
    expect(timedOut('close', 50).message).toBe('close did not complete within 50 ms')
  })
})
