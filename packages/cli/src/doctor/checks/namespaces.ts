/** Whether this is a container, and limits of containers and namespaces that no other check reports. */
import type { Facts } from '../facts.js'
import { type Finding, findingsOf, list } from '../finding.js'

const { note, ok, problem } = findingsOf('container')

export function checkNamespaces({ process, devices }: Facts): Finding[] {
  const where = [
    ...(process.container === undefined ? [] : [process.container]),
    ...(process.inUserNamespace ? ['a user namespace'] : []),
  ]
  const mode =
    process.rdmaNamespaces === undefined
      ? ''
      : `; network namespaces ${process.rdmaNamespaces === 'shared' ? 'share the' : 'have their own'} RDMA devices`
  const findings = [
    where.length === 0 ? ok(`no container was detected${mode}`) : note(`this runs in ${list(where)}${mode}`),
  ]
  for (const { device, handles, objects } of process.cgroupLimits) {
    if (!devices.some(({ name }) => name === device)) continue
    const isNone = handles === 0 || objects === 0
    findings.push(
      (isNone ? problem : note)(
        `the control group allows ${handles} open handles and ${objects} objects of ${device}`,
        `A connection takes an object each for its queue pair and memory: raise them in rdma.max, or write "${device} hca_handle=max hca_object=max".`,
      ),
    )
  }
  return findings
}
