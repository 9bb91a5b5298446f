import { describe, it } from 'node:test'
import { runPeerTask, transportConformance } from '@netts/conformance'
import { createMockNetwork } from '@netts/mock'

transportConformance({
  name: 'my driver',
  capabilities: { detectsPeerCrash: true, reset: true },
  describe,
  it,
  setup() {
    // Your driver in place of this one.
    const network = createMockNetwork()
    const builder = network.builder()
    return {
      builder,
      listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
      async startCrashablePeer(task) {
        // Your driver's peer runs in a process of its own, which `crash` kills.
        const links = network.links.length
        let running = Promise.resolve()
        const address = await new Promise((resolve) => {
          running = runPeerTask(builder, task, resolve)
          if (task.role === 'connect') resolve(task.address)
        })
        return {
          address,
          async crash() {
            await running
            network.links[links][task.role === 'connect' ? 'client' : 'server'].crash()
          },
        }
      },
    }
  },
})
