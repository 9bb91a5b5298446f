/** Finds out whether RDMA can be used here; if not, why, and what to do about it. */
import { checkInteger } from '@netts/core/driver'
import type {
  RdmaAvailability,
  RdmaAvailabilityOptions,
  UnavailabilityReason,
} from '../verbs/availability.js'
import { PORT_STATES } from './device-names.js'
import { errnoName } from './errno.js'
import { loadAddon } from './load-addon.js'
import { memlockLimitBytes } from './memlock.js'
import type { NativeBinding, Probe } from './native-binding.js'
import { unsupportedRuntime } from './runtime.js'

const MIB = 2 ** 20

/**
 * Whether this process can use RDMA; if not, why, and what to do about it. It looks at the machine each time, and keeps
 * nothing open. Where RDMA cannot be used it says so and does not throw.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `requiredBytes` is an integer of at least 1
 */
export function rdmaAvailability(options: RdmaAvailabilityOptions = {}): RdmaAvailability {
  const { requiredBytes = MIB } = options
  checkInteger('requiredBytes', requiredBytes, 1, Number.MAX_SAFE_INTEGER)
  if (process.platform !== 'linux') {
    return no(
      'not-linux',
      `RDMA verbs exist on Linux only, and this is ${process.platform}.`,
      'Use @netts/tcp here, or @netts/verbs/simulated for tests.',
    )
  }
  const runtime = unsupportedRuntime()
  if (runtime !== undefined) {
    return no(
      'runtime-unsupported',
      `RDMA needs Node.js, and this is ${runtime}.`,
      'Run this program with Node.js, or use @netts/tcp here, or @netts/verbs/simulated for tests.',
    )
  }
  let binding: NativeBinding
  try {
    binding = loadAddon()
  } catch (error) {
    return no(
      'addon-missing',
      `${(error as Error).message}.`,
      'For a bundled application mark @netts/verbs as external, or copy its folder "prebuilds" beside the bundle, ' +
        'or name the file in the environment variable NETTS_VERBS_ADDON. Else install a @netts/verbs that has a ' +
        'binary for this machine, or build it from its repository.',
    )
  }
  return judge(binding.probe(0), binding, requiredBytes)
}

function judge(found: Probe, binding: NativeBinding, requiredBytes: number): RdmaAvailability {
  if (!found.librariesLoaded) {
    return no(
      'library-missing',
      `libibverbs or librdmacm cannot be loaded: ${found.libraryError}.`,
      'Install rdma-core: on Debian and Ubuntu "apt install ibverbs-providers librdmacm1", on RHEL and ' +
        'Fedora "dnf install libibverbs librdmacm".',
    )
  }
  const { devices = [], deviceListErrno = 0, cmErrno = 0, openErrno } = found
  if (deviceListErrno !== 0) {
    return no(
      'kernel-unsupported',
      `The kernel offers no RDMA (ibv_get_device_list: ${errnoName(deviceListErrno)}).`,
      'Load its modules with "modprobe ib_uverbs" and "modprobe rdma_ucm"; kernels built for clouds often ' +
        "lack them; then install the distribution's general kernel.",
    )
  }
  if (openErrno !== undefined && devices.length === 0) {
    return no(
      'kernel-unsupported',
      // libibverbs tries several paths: its errno is that of the last one, which is rarely the reason.
      `This process may not open the device ${found.openDevice}.`,
      'Grant it read and write access to /dev/infiniband/uverbs*; in a container, pass these devices in.',
    )
  }
  if (devices.length === 0) {
    return no(
      'no-device',
      'There is no RDMA device.',
      'For tests, make one in software: "rdma link add rxe0 type rxe netdev eth0" (modules rdma_rxe or siw).',
    )
  }
  if (cmErrno !== 0) {
    return no(
      'kernel-unsupported',
      `The connection manager cannot be used (rdma_create_event_channel: ${errnoName(cmErrno)}).`,
      'Load its module with "modprobe rdma_ucm"; in a container, pass /dev/infiniband/rdma_cm in.',
    )
  }
  const active = devices.filter(({ ports }) => ports.some(({ state }) => PORT_STATES[state] === 'active'))
  if (active.length === 0) {
    return no(
      'no-active-port',
      `No port of ${devices.map(({ name }) => name).join(', ')} is active.`,
      'Bring its network interface up ("ip link set … up"), and look at the cable: "rdma link" shows the state.',
    )
  }
  const limitBytes = memlockLimitBytes()
  if (limitBytes !== Number.POSITIVE_INFINITY && binding.probe(requiredBytes).pinErrno !== 0) {
    return {
      ...no(
        'memlock-too-small',
        `This process may pin ${limitBytes} bytes, and ${requiredBytes} are needed.`,
        'Raise the limit: "ulimit -l unlimited" in the shell, LimitMEMLOCK=infinity in a systemd unit, ' +
          '"--ulimit memlock=-1" for a container, or /etc/security/limits.conf.',
      ),
      limitBytes,
      requiredBytes,
    }
  }
  return { available: true, devices: active.map(({ name }) => name) }
}

function no(
  reason: UnavailabilityReason,
  message: string,
  remedy: string,
): Extract<RdmaAvailability, { available: false }> {
  return { available: false, reason, message, remedy }
}
