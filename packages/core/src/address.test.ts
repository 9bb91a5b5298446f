/** Addresses from the outside. */
import { describe, expect, it } from 'vitest'
import { formatAddress } from './address.js'
import { checkAddress } from './driver/check-address.js'

describe('checkAddress', () => {
  it('returns a frozen copy of either shape', () => {
    const given = { host: '::1', port: 80, other: 1 }
    const checked = checkAddress(given, 'connect')
    expect(checked).toEqual({ host: '::1', port: 80 })
    expect(Object.isFrozen(checked)).toBe(true)
    expect(checkAddress({ path: '/run/x' }, 'listen')).toEqual({ path: '/run/x' })
    expect(checkAddress({ host: 'h', port: 0 }, 'listen')).toEqual({ host: 'h', port: 0 })
  })

  it.each([
    undefined,
    null,
    'localhost:80',
    {},
    { host: '', port: 80 },
    { host: 'a\0b', port: 80 },
    { host: 1, port: 80 },
    { port: 80 },
    { host: 'h' },
    { host: 'h', port: 0 },
    { host: 'h', port: -1 },
    { host: 'h', port: 65536 },
    { host: 'h', port: 1.5 },
    { host: 'h', port: '80' },
    { path: '' },
    { path: 'a\0b' },
    { path: '/run/x', port: 80 },
    { path: '/run/x', host: 'h' },
  ])('refuses %j', (address) => {
    expect(() => checkAddress(address as never, 'connect')).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT', operation: 'connect' }),
    )
  })
})

describe('formatAddress', () => {
  it('writes addresses as people do', () => {
    expect(formatAddress({ host: '10.0.0.1', port: 80 })).toBe('10.0.0.1:80')
    expect(formatAddress({ host: '::1', port: 80 })).toBe('[::1]:80')
    expect(formatAddress({ path: '/run/x' })).toBe('/run/x')
  })
})
