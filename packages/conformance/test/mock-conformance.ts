/** The suite over the mock in a configuration. */
import { describe, it } from 'vitest'
import { transportConformance } from '../src/index.js'
import { MOCK_CAPABILITIES, type MockSetting, mockFixture } from './mock-fixture.js'

export type MockSettings = Readonly<Record<string, MockSetting & { readonly bulkByteLength?: number }>>

/** Runs the suite over each of them. */
export function mockConformance(settings: MockSettings): void {
  for (const [name, { bulkByteLength = 2 ** 20, ...setting }] of Object.entries(settings)) {
    transportConformance({
      name,
      capabilities: MOCK_CAPABILITIES,
      setup: () => mockFixture(setting),
      describe,
      it,
      bulkByteLength,
      connections: 60,
      bufferedByteLength: 2 ** 20,
      schedules: 6,
    })
  }
}
