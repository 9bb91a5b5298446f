/** The endpoint suite over the addon, on the loopback device. */
import { LOOPBACK_ADDRESS, LOOPBACK_DEVICE, loopbackTitle, useLoopback } from '@netts/loopback'
import { describe, it } from 'vitest'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import { endpointSuite } from './endpoint-suite.js'

const isThere = useLoopback()

endpointSuite({
  name: LOOPBACK_DEVICE,
  describe: (title, body) => void describe.skipIf(!isThere)(loopbackTitle(title), body),
  it: (title, body) => void it(title, body),
  open: () => {
    // What a failed test left open must not fail the next one.
    openVerbs().close()
    const verbs = openVerbs()
    return { client: verbs, server: verbs, serverHost: LOOPBACK_ADDRESS, settle: (promise) => promise }
  },
})
