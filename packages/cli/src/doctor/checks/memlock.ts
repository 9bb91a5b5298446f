/** Whether this process may pin the memory that RDMA needs, which is tested by registering some. */
import type { Facts, ProcessFacts } from '../facts.js'
import { type Finding, findingsOf, formatBytes } from '../finding.js'

const { note, ok, problem, skipped, warning } = findingsOf('memlock')

const RAISE =
  '"ulimit -l unlimited" in the shell, LimitMEMLOCK=infinity in a systemd unit, "--ulimit memlock=-1" for Docker and ' +
  'Podman, /etc/security/limits.conf for logins, the limits of containerd’s own unit for Kubernetes'

export function checkMemlock({ devices, process }: Facts): Finding[] {
  const opened = devices.filter((device) => device.registrations.length > 0)
  if (opened.length === 0)
    return [skipped(`no memory could be registered, without a device; ${describeLimits(process)}`)]
  const findings: Finding[] = []
  for (const { name, registrations } of opened) {
    const refused = registrations.find(({ error }) => error !== undefined)
    const most = Math.max(
      0,
      ...registrations.filter(({ error }) => !error).map(({ byteLength }) => byteLength),
    )
    if (refused === undefined) {
      findings.push(ok(`${formatBytes(most)} could be registered with ${name}; ${describeLimits(process)}`))
      continue
    }
    const worked = most > 0 ? `${formatBytes(most)} could be registered with ${name}, ` : ''
    const message = `${worked}${formatBytes(refused.byteLength)} could not${most > 0 ? '' : ` be registered with ${name}`}: ${refused.error}; ${describeLimits(process)}`
    findings.push(
      refused.error === 'ENOMEM'
        ? problem(message, `Raise the limit of locked memory: ${RAISE}.${trap(process)}${ignored(process)}`)
        : problem(message, 'The limit is not the reason; look at "dmesg" for what the device’s driver says.'),
    )
  }
  const isExempt = process.ipcLock.effective && !process.inUserNamespace
  if (isExempt && process.memlock.soft !== 'unlimited' && findings.every(({ verdict }) => verdict === 'ok')) {
    findings.push(
      note(
        `the limit of ${formatBytes(process.memlock.soft)} does not apply to this process, which has CAP_IPC_LOCK; ` +
          'it applies without that capability, to other users for example',
        `For other users raise the limit: ${RAISE}.`,
      ),
    )
  }
  if (trap(process) !== '' && findings.every(({ verdict }) => verdict === 'ok')) {
    findings.push(warning(trap(process).trim()))
  }
  return findings
}

function describeLimits({ memlock, ipcLock, userId, inUserNamespace }: ProcessFacts): string {
  const capability = ipcLock.effective
    ? inUserNamespace
      ? 'CAP_IPC_LOCK in a user namespace only'
      : 'CAP_IPC_LOCK'
    : 'no CAP_IPC_LOCK'
  const hard = memlock.hard === memlock.soft ? '' : `, at most ${formatBytes(memlock.hard)}`
  return `user ${userId} has ${capability}, and a limit of ${formatBytes(memlock.soft)}${hard}`
}

/** Some drivers of devices ignore CAP_IPC_LOCK: Soft-iWARP, for example. */
function ignored({ ipcLock, inUserNamespace }: ProcessFacts): string {
  return ipcLock.effective && !inUserNamespace
    ? ' The driver of this device applies the limit in spite of CAP_IPC_LOCK.'
    : ''
}

/** When the process seems to have CAP_IPC_LOCK and it has no effect. */
function trap({ memlock, ipcLock, userId, inUserNamespace, container }: ProcessFacts): string {
  if (memlock.soft === 'unlimited') return ''
  if (ipcLock.effective && inUserNamespace) {
    return ' CAP_IPC_LOCK has no effect here: the kernel checks it in the initial user namespace of the machine, and this process is in another one.'
  }
  if (!ipcLock.effective && ipcLock.bounding && userId !== 0 && container !== undefined) {
    return ` Adding IPC_LOCK to the container has no effect for user ${userId}: only root gets it, or a program with "setcap cap_ipc_lock+ep".`
  }
  return ''
}
