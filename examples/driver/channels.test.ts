/** The driver passes the conformance suite. */
import { transportConformance } from '@netts/conformance'
import { describe, it } from 'vitest'
import { channels } from './channels.js'

transportConformance({
  name: 'channels',
  capabilities: { detectsPeerCrash: false, reset: true },
  setup: () => ({
    builder: channels(),
    listenAddress: () => ({ host: 'here', port: 0 }),
  }),
  creditBased: true,
  bulkByteLength: 2 ** 20,
  connections: 50,
  schedules: 5,
  describe,
  it,
})
