/** The rules that need many seconds, and larger numbers for the others. */
import { describe, it } from 'vitest'
import { transportConformance } from '../src/index.js'
import { MOCK_CAPABILITIES, mockFixture } from './mock-fixture.js'

transportConformance({
  name: 'mock, the slow rules included',
  capabilities: MOCK_CAPABILITIES,
  setup: () => mockFixture(),
  describe,
  it,
  slow: true,
  bufferedByteLength: 2 ** 20,
  bulkByteLength: 8 * 2 ** 20,
  connections: 500,
})
