/**
 * The device suite: what every implementation of the interface does, on every device. It runs on the simulated
 * device, and in the lab on the kernel's own, so that the simulation is held to the real thing.
 */
import assert from 'node:assert/strict'
import { atomicTests } from './atomics.js'
import type { Bench, DeviceSuiteOptions } from './bench.js'
import { connectionTests } from './connection.js'
import { diagnosisTests } from './diagnosis.js'
import { existingMemoryTests } from './existing-memory.js'
import { misuseTests } from './misuse.js'
import { notificationTests } from './notification.js'
import { oneSidedTests } from './one-sided.js'
import { sendReceiveTests } from './send-receive.js'
import { sharedReceiveTests } from './shared-receive.js'
import { windowTests } from './windows.js'

export type { Bench, DeviceSuiteOptions } from './bench.js'

/** Declares the suite's tests with the runner's own `describe` and `it`. */
export function deviceSuite(options: DeviceSuiteOptions): void {
  const { name, describe, it, open, rounds = 1 } = options
  const test = (title: string, body: (bench: Bench) => Promise<void>) =>
    it(title, async () => {
      for (let round = 0; round < rounds; round++) {
        const bench = await open()
        await bench.settle(body(bench))
        checkNothingIsOpen(bench)
      }
    })
  describe(`${name}: connections`, () => connectionTests(test))
  describe(`${name}: send and receive`, () => sendReceiveTests(test))
  describe(`${name}: one-sided operations`, () => oneSidedTests(test))
  describe(`${name}: notification`, () => notificationTests(test))
  describe(`${name}: misuse`, () => misuseTests(test))
  describe(`${name}: shared receive queues`, () => sharedReceiveTests(test))
  describe(`${name}: atomics`, () => atomicTests(test))
  describe(`${name}: memory that exists already`, () => existingMemoryTests(test))
  describe(`${name}: diagnosis`, () => diagnosisTests(test))
  describe(`${name}: memory windows`, () => windowTests(test))
}

/** Every test closes what it opened. */
export function checkNothingIsOpen({ client, server }: Bench): void {
  for (const verbs of new Set([client, server])) {
    for (const [kind, count] of Object.entries(verbs.counts)) assert.equal(count, 0, `${kind} left open`)
  }
}
