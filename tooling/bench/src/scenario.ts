/** What a scenario of the plan is: points, figures, and those that several scenarios have. */
import type { RunSpec } from './spec.js'

/** Sizes and counts of one run. */
export interface Point {
  readonly byteLength: number
  readonly connections: number
  readonly ratePerSecond?: number
  /** How much is done by one call, for `addon`. */
  readonly batch?: number
  /** Of the connections, so many have traffic; the others are idle. @default all */
  readonly active?: number
}

/** A figure of a run, with its unit and what is better. */
export interface Metric {
  readonly id: string
  readonly title: string
  readonly unit: 'ns' | '/s' | 'MB/s' | 'B' | '%'
  readonly better: 'lower' | 'higher'
  /** `false` for growth, which may be nothing or less: there is no ratio to that. @default true */
  readonly comparable?: boolean
}

/** One question, asked of every contender at several points. */
export interface Scenario {
  readonly id: string
  readonly title: string
  readonly question: string
  readonly traffic: RunSpec['traffic']
  /** Who alone takes part, in nothing but scenarios that name them. @default everybody else */
  readonly only?: readonly string[]
  /** The contender that the others are compared to. @default node:net */
  readonly baseline?: string
  readonly observe?: RunSpec['observe']
  readonly quick: readonly Point[]
  readonly full: readonly Point[]
  /** In the RDMA lab. @default not asked there */
  readonly lab?: readonly Point[]
  /** Its share of the rounds, where fewer do. @default 1 */
  readonly rounds?: number
  /** The first one is the scenario's result, the others its company. */
  readonly metrics: readonly [Metric, ...Metric[]]
}

export const p50: Metric = { id: 'p50', title: 'p50', unit: 'ns', better: 'lower' }
export const p99: Metric = { id: 'p99', title: 'p99', unit: 'ns', better: 'lower' }
export const p999: Metric = { id: 'p999', title: 'p99.9', unit: 'ns', better: 'lower' }
export const mean: Metric = { id: 'mean', title: 'mean', unit: 'ns', better: 'lower' }
export const rate: Metric = { id: 'rate', title: 'messages', unit: '/s', better: 'higher' }
export const bandwidth: Metric = { id: 'bandwidth', title: 'payload', unit: 'MB/s', better: 'higher' }
export const cpuClient: Metric = {
  id: 'cpuClient',
  title: 'CPU a message, client',
  unit: 'ns',
  better: 'lower',
}
export const cpuServer: Metric = {
  id: 'cpuServer',
  title: 'CPU a message, server',
  unit: 'ns',
  better: 'lower',
}

export const KIB: number = 1024
export const MIB: number = 1024 * KIB

export function sizes(connections: number, ...byteLengths: number[]): Point[] {
  return byteLengths.map((byteLength) => ({ byteLength, connections }))
}

export function counts(byteLength: number, ...connections: number[]): Point[] {
  return connections.map((count) => ({ byteLength, connections: count }))
}

export function rates(byteLength: number, ...perSecond: number[]): Point[] {
  return perSecond.map((ratePerSecond) => ({ byteLength, connections: 1, ratePerSecond }))
}
