/** Where the loopback provider is, and how a process is made to use it. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of a build: `release`, or `sanitized` with AddressSanitizer and UBSan. */
export type LoopbackBuild = 'release' | 'sanitized'

/** What the README says of the environment variables. */
export interface LoopbackSettings {
  /** @default 'release' */
  readonly build?: LoopbackBuild
  /** From posting at one end until the message is at the other, in nanoseconds. @default 1000 */
  readonly latencyNs?: number
  /** Of the link, in Gbit/s. @default no limit */
  readonly gigabitsPerSecond?: number
  /** The device calls itself an iWARP one; what it does stays the same. @default false */
  readonly callsItselfIwarp?: boolean
  /** A FIFO that takes commands. It is made where there is none. @default none */
  readonly controlPath?: string
  /** A file that gets the counters. @default none */
  readonly countersPath?: string
}

/** The name of the device. */
export const LOOPBACK_DEVICE = 'netts_loopback0'

/** An address of the device; all of 127.0.0.0/8 and ::1 are. */
export const LOOPBACK_ADDRESS = '127.0.0.1'

const inBuild = (build: LoopbackBuild, name: string) =>
  fileURLToPath(new URL(`../build/${build}/${name}`, import.meta.url))

/** The reference program: `pingpong server`, `pingpong client <port>`. */
export function pingpongProgram(build: LoopbackBuild = 'release'): string {
  return inBuild(build, 'pingpong')
}

/** The reference program of what posting and polling cost: `cost <batch>`. */
export function costProgram(build: LoopbackBuild = 'release'): string {
  return inBuild(build, 'cost')
}

/** Whether it was not built. Without a compiler it is not; a build server must have it. */
export function loopbackIsMissing(build: LoopbackBuild = 'release'): boolean {
  return !existsSync(inBuild(build, 'netts_loopback.so')) && process.env.CI !== 'true'
}

/** A suite's title, with the reason where it is skipped because the provider was not built. */
export function loopbackTitle(title: string, build: LoopbackBuild = 'release'): string {
  return loopbackIsMissing(build)
    ? `${title} (skipped: the loopback provider was not built, ${build})`
    : title
}

/** Variables for the environment of a process that is to use it in place of libibverbs and librdmacm. */
export function loopbackEnvironment(settings: LoopbackSettings = {}): Record<string, string> {
  const { build = 'release', latencyNs, gigabitsPerSecond, callsItselfIwarp } = settings
  const library = inBuild(build, 'netts_loopback.so')
  return {
    NETTS_IBVERBS_LIB: library,
    NETTS_RDMACM_LIB: library,
    ...(latencyNs !== undefined && { NETTS_LOOPBACK_LATENCY_NS: `${latencyNs}` }),
    ...(gigabitsPerSecond !== undefined && { NETTS_LOOPBACK_GBPS: `${gigabitsPerSecond}` }),
    ...(callsItselfIwarp && { NETTS_LOOPBACK_TRANSPORT: 'iwarp' }),
    ...(settings.controlPath !== undefined && { NETTS_LOOPBACK_CONTROL: settings.controlPath }),
    ...(settings.countersPath !== undefined && { NETTS_LOOPBACK_COUNTERS: settings.countersPath }),
  }
}

/**
 * Makes this very process use it, where the addon is not loaded yet.
 * @returns whether it is there to be used
 */
export function useLoopback(settings: LoopbackSettings = {}): boolean {
  Object.assign(process.env, loopbackEnvironment(settings))
  return !loopbackIsMissing(settings.build)
}
