/** The device suite on the kernel's own devices. */
import { describe, it } from 'node:test'
import { deviceSuite } from '../../test/device-suite/device-suite.js'
import { labDevices } from '../../test/lab/devices.js'
import { openVerbs } from './open-verbs.js'

for (const { name, type, address } of labDevices()) {
  deviceSuite({
    name,
    describe,
    // siw takes 10 s to destroy a queue pair whose connection was not answered.
    it: (title, body) => void it(title, { timeout: 20_000 }, body),
    open: () => {
      // What a failed test left open must not fail the next one.
      openVerbs().close()
      const verbs = openVerbs()
      return {
        client: verbs,
        server: verbs,
        serverHost: address,
        deviations:
          type === 'rxe'
            ? ['window-range-unchecked', 'invalidation-untold', 'any-key-invalidated']
            : ['read-permission-unchecked'],
        settle: (promise) => promise,
      }
    },
  })
}
