/** Addresses as people type them. */
import { describe, expect, it } from 'vitest'
import { formatEndpoint, isLocal, parseEndpoint } from './endpoint.js'

describe('an address', () => {
  it.each([
    ['tcp://10.0.0.7:80', 'tcp', { host: '10.0.0.7', port: 80 }],
    ['tcp://[::1]:0', 'tcp', { host: '::1', port: 0 }],
    ['ring://node-7.cluster:18515', 'ring', { host: 'node-7.cluster', port: 18515 }],
    ['sendrecv://10.0.0.7:65535', 'sendrecv', { host: '10.0.0.7', port: 65535 }],
    ['rdma://10.0.0.7:18515', 'rdma', { host: '10.0.0.7', port: 18515 }],
    ['unix:/run/x.sock', 'unix', { path: '/run/x.sock' }],
    ['unix:x.sock', 'unix', { path: 'x.sock' }],
  ])('%s', (text, scheme, address) => {
    const endpoint = parseEndpoint(text)
    expect(endpoint).toEqual({ scheme, address })
    expect(formatEndpoint(endpoint)).toBe(text)
  })

  it('of a path may be a URL', () => {
    expect(parseEndpoint('unix:///run/x.sock').address).toEqual({ path: '/run/x.sock' })
  })

  it.each([
    ['', 'does not begin with a transport'],
    ['10.0.0.7:80', 'does not begin with a transport'],
    ['http://10.0.0.7:80', 'begins with http:, which is not a transport'],
    ['tcp:10.0.0.7:80', 'has no // after tcp:'],
    ['tcp://10.0.0.7', 'is not a host and a port'],
    ['tcp://:80', 'is not a host and a port'],
    ['tcp://::1:80', 'is not a host and a port'],
    ['tcp://host:port', 'is not a host and a port'],
    ['tcp://host:80/path', 'is not a host and a port'],
    ['tcp://user@host:80', 'is not a host and a port'],
    ['ring://host:65536', 'has a port above 65535'],
    ['unix:', 'has no path'],
    ['unix:a\0b', 'has a path with a NUL character'],
  ])('%j is refused, saying that it %s', (text, why) => {
    expect(() => parseEndpoint(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_NETTS_INVALID_ARGUMENT',
        message: expect.stringContaining(`${why}; an address is tcp://HOST:PORT`),
      }),
    )
  })

  it('is local, or not', () => {
    for (const local of [
      'unix:/x',
      'tcp://127.0.0.1:1',
      'tcp://127.8.9.1:1',
      'tcp://[::1]:1',
      'rdma://localhost:1',
    ]) {
      expect(isLocal(parseEndpoint(local)), local).toBe(true)
    }
    for (const open of [
      'tcp://0.0.0.0:1',
      'tcp://[::]:1',
      'ring://10.0.0.7:1',
      'tcp://127.0.0.1.example:1',
    ]) {
      expect(isLocal(parseEndpoint(open)), open).toBe(false)
    }
  })
})
