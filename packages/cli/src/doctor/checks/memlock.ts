/** Whether this process may pin the memory that RDMA needs; a real registration decides. */
import type { Facts, ProcessFacts } from '../facts.js'
import { type Finding, findingsOf, formatBytes } from '../finding.js'

const { note, ok, problem, skipped, warning } = findingsOf('memlock')

const RAISE =
  '"ulimit -l unlimited" in the shell, LimitMEMLOCK=infinity in a systemd unit, "--ulimit memlock=-1" for Docker and ' +
  'Podman, /etc/security/limits.conf for logins, the limits of containerd’s own unit for Kubernetes'

export function checkMemlock({ devices, process }: Facts): Finding[] {
  const opened = devices.filter((device) => device.registrations.length > 0)
  if (opened.length === 0) return [skipped(`nothing can be registered; ${describeLimits(process)}`)]
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
        `the limit of ${formatBytes(process.memlock.soft)} does not hold for this process, which has CAP_IPC_LOCK; ` +
          'without that capability it does, such as for another user',
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

/** Where CAP_IPC_LOCK is there, and the driver of the device does not ask for it: Soft-iWARP is one. */
function ignored({ ipcLock, inUserNamespace }: ProcessFacts): string {
  return ipcLock.effective && !inUserNamespace
    ? ' The driver of this device holds CAP_IPC_LOCK to it, too.'
    : ''
}

/** Where CAP_IPC_LOCK seems to be there, and has no effect. */
function trap({ memlock, ipcLock, userId, inUserNamespace, container }: ProcessFacts): string {
  if (memlock.soft === 'unlimited') return ''
  if (ipcLock.effective && inUserNamespace) {
    return ' CAP_IPC_LOCK has no effect here: the kernel asks for it in the machine’s first user namespace, and this is another.'
  }
  if (!ipcLock.effective && ipcLock.bounding && userId !== 0 && container !== undefined) {
    return ` To add IPC_LOCK to the container has no effect for user ${userId}: only root gets it, or a program with "setcap cap_ipc_lock+ep".`
  }
  return ''
}
