/** What flow control costs: nothing where both ends answer each other, be it from a promise. */
import { createConnection } from '@netts/core'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { expect, it } from 'vitest'
import { type SendRecvTransport, sendRecvOver } from '../src/index.js'

const ROUND_TRIPS = 100

it('two ends that answer each other send no frames but data', async () => {
  const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto', seed: 1 })
  const [client, server] = [fabric.createHost(), fabric.createHost()]
  const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
  const transports: SendRecvTransport[] = await Promise.all([
    sendRecvOver({ verbs: client }).connect(listener.address),
    listener.accept().then((transport) => transport!),
  ])
  const [near, far] = transports.map((transport) => createConnection(transport))
  const answering = (async () => {
    for (let i = 0; i < ROUND_TRIPS; i++) await far!.send((await far!.recv())!)
  })()
  for (let i = 0; i < ROUND_TRIPS; i++) {
    await near!.send(Buffer.from(`message ${i}`))
    expect(String(await near!.recv())).toBe(`message ${i}`)
  }
  await answering
  expect(transports.map(({ controlFramesSent }) => controlFramesSent)).toEqual([0, 0])
  await Promise.all([near!.close(), far!.close(), listener.close()])
})
