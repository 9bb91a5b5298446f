/** The endpoint suite on the kernel's own devices. */
import { describe, it } from 'node:test'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import { labDevices } from '../lab/devices.js'
import { endpointSuite } from './endpoint-suite.js'

for (const { name, address } of labDevices()) {
  endpointSuite({
    name,
    describe,
    it: (title, body) => void it(title, { timeout: 30_000 }, body),
    open: () => {
      // What a failed test left open must not fail the next one.
      openVerbs().close()
      const verbs = openVerbs()
      return { client: verbs, server: verbs, serverHost: address, settle: (promise) => promise }
    },
  })
}
