/** The device suite and the endpoint suite on the loopback device, under node:test: for a process with sanitizers. */
import { describe, it } from 'node:test'
import { LOOPBACK_ADDRESS, LOOPBACK_DEVICE } from '@netts/loopback'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import { type DeviceSuiteOptions, deviceSuite } from '../device-suite/device-suite.js'
import { endpointSuite } from '../endpoint-suite/endpoint-suite.js'

const options: DeviceSuiteOptions = {
  name: LOOPBACK_DEVICE,
  describe,
  it: (title, body) => void it(title, { timeout: 20_000 }, body),
  open: () => {
    openVerbs().close()
    const verbs = openVerbs()
    return { client: verbs, server: verbs, serverHost: LOOPBACK_ADDRESS, settle: (promise) => promise }
  },
}
deviceSuite(options)
endpointSuite(options)
