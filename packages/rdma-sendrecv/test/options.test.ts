/** What the builders refuse before anything happens. */
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { describe, expect, it, vi } from 'vitest'
import { type SendRecvOptions, sendRecv, sendRecvOver } from '../src/index.js'

const INVALID = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
const RANGES: readonly (readonly [keyof SendRecvOptions, number, number])[] = [
  ['recvDepth', 1, 16_384],
  ['sendDepth', 1, 16_384],
  ['bufferSize', 1032, 2 ** 30],
  ['inlineThreshold', 0, 4096],
  ['adaptiveMicroseconds', 0, 1_000_000],
  ['spinMicroseconds', 0, 10_000],
  ['keepAliveIntervalMs', 0, 2 ** 31 - 1],
  ['keepAliveTimeoutMs', 1, 2 ** 31 - 1],
  ['trafficClass', 0, 255],
]

describe('options', () => {
  it.each(RANGES)('%s is an integer from %d to %d', (name, least, most) => {
    for (const value of [least, most]) expect(sendRecv({ [name]: value }).name).toBe('rdma-sendrecv')
    for (const value of [least - 1, most + 1, least + 0.5, Number.NaN, String(least)]) {
      expect(() => sendRecv({ [name]: value })).toThrow(INVALID)
    }
  })

  it('recvDepthInitial is at most recvDepth', () => {
    expect(sendRecv({ recvDepth: 2, recvDepthInitial: 2 }).name).toBe('rdma-sendrecv')
    expect(() => sendRecv({ recvDepth: 2, recvDepthInitial: 3 })).toThrow(INVALID)
  })

  it('polling is one of three ways', () => {
    expect(() => sendRecv({ polling: 'often' as never })).toThrow(INVALID)
  })

  it('localAddress is an IP address', () => {
    for (const localAddress of ['10.0.0.1', 'fe80::1'])
      expect(sendRecv({ localAddress }).name).toBe('rdma-sendrecv')
    for (const localAddress of ['', 'localhost', '10.0.0', 1 as never, null as never]) {
      expect(() => sendRecv({ localAddress })).toThrow(INVALID)
    }
  })

  it('trafficClass and localAddress are of every connection, and of every listener', async () => {
    const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto', seed: 1 })
    const [client, server] = [fabric.createHost(), fabric.createHost()]
    const set = [client, server].map((host) => {
      const classes: number[] = []
      const createCmId = host.createCmId.bind(host)
      vi.spyOn(host, 'createCmId').mockImplementation(() => {
        const id = createCmId()
        vi.spyOn(id, 'setTrafficClass').mockImplementation((trafficClass) => void classes.push(trafficClass))
        return id
      })
      return classes
    })
    const listener = await sendRecvOver({ verbs: server, trafficClass: 104 }).listen({
      host: server.address,
      port: 0,
    })
    const options = { verbs: client, trafficClass: 96, localAddress: client.address }
    const [near, far] = await Promise.all([
      sendRecvOver(options).connect(listener.address),
      listener.accept(),
    ])
    expect(set).toEqual([[96], [104]])
    expect(near.localAddress.host).toBe(client.address)
    near.destroy()
    far?.destroy()
    const elsewhere = sendRecvOver({ verbs: client, localAddress: server.address })
    await expect(elsewhere.connect(listener.address)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
    await listener.close()
  })

  it('an unknown one is refused, with the name that was meant', () => {
    expect(() => sendRecv({ recvDepht: 3 } as SendRecvOptions)).toThrow(/'recvDepht'.*'recvDepth'/)
    expect(() => sendRecv({ verbs: {} } as SendRecvOptions)).toThrow(INVALID)
    expect(() => sendRecv(null as never)).toThrow(INVALID)
  })

  it('sendRecvOver takes verbs', () => {
    const verbs = createSimulatedFabric({ mode: 'roce', seed: 1 }).createHost()
    expect(sendRecvOver({ verbs }).name).toBe('rdma-sendrecv')
    for (const wrong of [undefined, null, {}, { verbs: {} }, { verbs: null }]) {
      expect(() => sendRecvOver(wrong as never)).toThrow(INVALID)
    }
    expect(() => sendRecvOver({ verbs, recvDepth: 0 })).toThrow(INVALID)
  })
})
