/** The suite that every driver passes, over `preferring`: of a wire that this machine does not have, and one in memory. */
import { type ConformanceFixture, runPeerTask, transportConformance } from '@netts/conformance'
import { type Address, NettsError, preferring, type TransportBuilder } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { describe, it } from 'vitest'

const unavailable = () => Promise.reject(new NettsError('ERR_NETTS_UNAVAILABLE', 'this machine has none'))
const absent: TransportBuilder = { name: 'absent', connect: unavailable, listen: unavailable }

transportConformance({
  name: 'preferring',
  capabilities: { detectsPeerCrash: true, reset: true },
  setup(): ConformanceFixture {
    const network = createMockNetwork()
    const builder = preferring(absent, network.builder())
    return {
      builder,
      listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
      silentAddress() {
        for (let attempt = 0; attempt < 2; attempt++) network.failNext({ connect: 'never' })
        return { host: '192.0.2.1', port: 9 }
      },
      async startCrashablePeer(task) {
        const index = network.links.length
        let listening: (address: Address) => void = () => {}
        const address = new Promise<Address>((resolve) => {
          listening = resolve
        })
        const running = runPeerTask(builder, task, listening)
        return {
          address: task.role === 'listen' ? await address : task.address,
          async crash() {
            await running
            network.links[index]?.[task.role === 'connect' ? 'client' : 'server'].crash()
          },
        }
      },
    }
  },
  describe,
  it,
})
