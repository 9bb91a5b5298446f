/** All checks; each comes after those that it depends on. */
import { checkAddresses, checkMtu } from './checks/addresses.js'
import { checkDevices, checkPorts } from './checks/devices.js'
import { checkModules, checkPermissions } from './checks/kernel.js'
import { checkLibraries } from './checks/libraries.js'
import { checkMemlock } from './checks/memlock.js'
import { checkNamespaces } from './checks/namespaces.js'
import { checkConnections, checkCounters } from './checks/use.js'
import type { Facts } from './facts.js'
import type { Finding } from './finding.js'

/** Judges the facts. On other systems than Linux, only the libraries are checked. */
export function diagnose(facts: Facts): Finding[] {
  if (facts.process.platform !== 'linux') return checkLibraries(facts)
  return [
    checkLibraries,
    checkModules,
    checkPermissions,
    checkNamespaces,
    checkDevices,
    checkPorts,
    checkAddresses,
    checkMtu,
    checkMemlock,
    checkConnections,
    checkCounters,
  ].flatMap((check) => check(facts))
}

/** Whether RDMA works, without any problem. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'problem')
}
