/** What callers see of a service that drains. */
import { connect } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { expect, it } from 'vitest'
import { createCaller } from './caller.js'
import { startService } from './service.js'

it('a service that drains answers what was asked before, refuses new calls, and ends its connections', async () => {
  const network = createMockNetwork()
  let answer: (value: string) => void = () => {}
  let asked: () => void = () => {}
  const arrived = new Promise<void>((resolve) => {
    asked = resolve
  })
  const service = await startService(
    network.builder(),
    { host: 'service', port: 1 },
    {
      slow: () => {
        asked()
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    },
  )
  const connection = await connect(network.builder(), service.address)
  const { call } = createCaller(connection)

  const before = call('slow', null)
  await arrived
  const drained = service.drain(5000)
  await expect(call('slow', null)).rejects.toThrow('the service is draining')
  await expect(connect(network.builder(), service.address)).rejects.toMatchObject({
    code: 'ERR_NETTS_CONNECT_FAILED',
  })
  answer('here it is')
  expect(await before).toBe('here it is')
  await connection.peerEnded
  await expect(call('slow', null)).rejects.toThrow('the server ended the connection')
  await drained
})
