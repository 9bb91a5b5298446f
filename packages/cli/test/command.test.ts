/** `netts tunnel` as an operator starts it. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import grpc from '@grpc/grpc-js'
import { loopbackIsMissing } from '@netts/loopback'
import { describe, expect, it } from 'vitest'
import { echoServer, folder, portOf } from './command.js'
import { netts } from './netts-process.js'

/** Waits for `close`, with an error before it or not. */
function closeOf(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

describe('netts', () => {
  it.each([
    [['tunnel'], /required option '--listen <address>' not specified/],
    [['tunnel', '--listen', 'unix:/x'], /required option '--to <address>' not specified/],
    [['tunnel', '--listen', 'http://x:1', '--to', 'unix:/x'], /begins with http:, which is not a transport/],
    [['tunnel', '--listen', 'unix:/x', '--to', 'tcp://x'], /is not a host and a port/],
    [
      ['tunnel', '--listen', 'unix:/x', '--to', 'unix:/y', '--drain-timeout', 'soon'],
      /whole number from 0 to/,
    ],
    [['tunnel', '--listen', 'unix:/x', '--to', 'unix:/y', '--speed', '9'], /unknown option '--speed'/],
    [['tunel'], /unknown command 'tunel'/],
  ])('%j ends with status 2, and says why', async (args, why) => {
    const { ended, printed } = await netts(args)
    expect(await ended).toBe(2)
    expect(printed.stderr).toMatch(why)
    expect(printed.stdout).toBe('')
  })

  it('tells how to call it, and ends with status 0', async () => {
    const { ended, printed } = await netts(['tunnel', '--help'])
    expect(await ended).toBe(0)
    expect(printed.stdout).toContain('sendrecv://HOST:PORT')
  })

  it('ends with status 1 where it can’t listen', async () => {
    const taken = await echoServer()
    const { ended, printed } = await netts([
      'tunnel',
      '--listen',
      `tcp://127.0.0.1:${portOf(taken)}`,
      '--to',
      'unix:/nowhere',
    ])
    expect(await ended).toBe(1)
    expect(printed.stderr).toMatch(/ERR_NETTS_LISTEN_FAILED/)
    taken.close()
  })
})

describe('netts tunnel', () => {
  it('carries a connection, and drains on SIGTERM', async () => {
    const service = await echoServer()
    const path = join(folder, 'in.sock')
    const tunnel = await netts([
      'tunnel',
      '--listen',
      `unix:${path}`,
      '--to',
      `tcp://127.0.0.1:${portOf(service)}`,
    ])
    await tunnel.until(/listening at unix:.*in\.sock, to tcp:\/\/127/)
    const client = net.connect({ path })
    client.write('before')
    expect(String((await once(client, 'data'))[0])).toBe('before')
    tunnel.child.kill('SIGTERM')
    while (!/waiting for 1 connections/.test(tunnel.printed.stderr)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    client.write('after')
    expect(String((await once(client, 'data'))[0])).toBe('after')
    client.end()
    client.resume()
    expect(await tunnel.ended).toBe(0)
    service.close()
  })

  it('ends connections with a second signal', async () => {
    const service = await echoServer()
    const path = join(folder, 'twice.sock')
    const tunnel = await netts([
      'tunnel',
      '--listen',
      `unix:${path}`,
      '--to',
      `tcp://127.0.0.1:${portOf(service)}`,
    ])
    await tunnel.until(/listening/)
    const client = net.connect({ path })
    client.write('before')
    await once(client, 'data')
    client.on('error', () => {})
    const closed = closeOf(client)
    tunnel.child.kill('SIGTERM')
    while (!/waiting for/.test(tunnel.printed.stderr)) await new Promise((resolve) => setTimeout(resolve, 5))
    tunnel.child.kill('SIGINT')
    await closed
    expect(await tunnel.ended).toBe(0)
    service.close()
  })

  it('ends them itself after --drain-timeout', async () => {
    const service = await echoServer()
    const path = join(folder, 'late.sock')
    const to = `tcp://127.0.0.1:${portOf(service)}`
    const tunnel = await netts(['tunnel', '--listen', `unix:${path}`, '--to', to, '--drain-timeout', '50'])
    await tunnel.until(/listening/)
    const client = net.connect({ path })
    client.on('error', () => {})
    client.write('before')
    await once(client, 'data')
    const closed = closeOf(client)
    tunnel.child.kill('SIGTERM')
    await closed
    expect(await tunnel.ended).toBe(0)
    service.close()
  })

  it('warns where it listens for everybody, and says so when it can’t connect on', async () => {
    const tunnel = await netts([
      'tunnel',
      '--listen',
      'tcp://0.0.0.0:0',
      '--to',
      `unix:${join(folder, 'nobody')}`,
    ])
    const [, port] = await tunnel.until(/listening at tcp:\/\/0\.0\.0\.0:(\d+)/)
    expect(tunnel.printed.stderr).toMatch(
      /warning: every host that reaches tcp:\/\/0\.0\.0\.0:0 can use this tunnel/,
    )
    const client = net.connect(Number(port), '127.0.0.1')
    client.on('error', () => {})
    await closeOf(client)
    while (!/failed/.test(tunnel.printed.stderr)) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(tunnel.printed.stderr).toMatch(/a connection to unix:.*nobody failed: .*ERR_NETTS_CONNECT_FAILED/)
    tunnel.child.kill('SIGTERM')
    expect(await tunnel.ended).toBe(0)
  })

  it.skipIf(loopbackIsMissing())(
    `takes a gRPC client of @grpc/grpc-js to its server over RDMA, both unmodified${
      loopbackIsMissing() ? ' (skipped: the loopback device was not built)' : ''
    }`,
    async () => {
      const server = new grpc.Server()
      const identity = (bytes: Buffer) => bytes
      const definition = {
        echo: {
          path: '/echo.Echo/Echo',
          requestStream: false as const,
          responseStream: false as const,
          requestSerialize: identity,
          requestDeserialize: identity,
          responseSerialize: identity,
          responseDeserialize: identity,
        },
      }
      server.addService(definition, {
        echo: (call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) =>
          answer(null, call.request),
      })
      const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
          error ? reject(error) : resolve(bound),
        )
      })
      const exit = await netts([
        'tunnel',
        '--listen',
        'ring://127.0.0.1:0',
        '--to',
        `tcp://127.0.0.1:${port}`,
      ])
      const [, rdmaPort] = await exit.until(/ring:\/\/127\.0\.0\.1:(\d+)/)
      const path = join(folder, 'grpc.sock')
      const entry = await netts([
        'tunnel',
        '--listen',
        `unix:${path}`,
        '--to',
        `rdma://127.0.0.1:${rdmaPort}`,
      ])
      await entry.until(/listening/)
      const Client = grpc.makeGenericClientConstructor(definition, 'Echo')
      const client = new Client(`unix:${path}`, grpc.credentials.createInsecure())
      const request = Buffer.alloc(300_000, 'netts')
      const answer = await new Promise<Buffer>((resolve, reject) => {
        client.makeUnaryRequest('/echo.Echo/Echo', identity, identity, request, (error, value) =>
          error ? reject(error) : resolve(value!),
        )
      })
      expect(answer.equals(request)).toBe(true)
      client.close()
      server.forceShutdown()
      for (const tunnel of [entry, exit]) {
        tunnel.child.kill('SIGTERM')
        expect(await tunnel.ended).toBe(0)
      }
    },
  )

  it.skipIf(loopbackIsMissing())(
    `whose device is removed ends with status 1, and says why${
      loopbackIsMissing() ? ' (skipped: the loopback device was not built)' : ''
    }`,
    async () => {
      const controlPath = join(folder, 'control')
      const tunnel = await netts(
        ['tunnel', '--listen', 'ring://127.0.0.1:0', '--to', 'unix:/nowhere'],
        {},
        {
          controlPath,
        },
      )
      await tunnel.until(/listening/)
      writeFileSync(controlPath, 'remove\n')
      expect(await tunnel.ended).toBe(1)
      expect(tunnel.printed.stderr).toMatch(/listening at ring:.* ended: .*ERR_NETTS_/)
    },
  )
})
