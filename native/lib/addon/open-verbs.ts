/** The root of the addon's objects: it opens devices, makes ids, and closes everything. */
import { NettsError } from '@netts/core'
import type { CmId } from '../verbs/cm.js'
import type { Device } from '../verbs/device.js'
import type { Clock, Verbs, VerbsCounts } from '../verbs/verbs.js'
import { rdmaAvailability } from './availability.js'
import { systemClock } from './clock.js'
import { AddonCmId } from './cm-id.js'
import { AddonDevice } from './device.js'
import { Dispatch } from './dispatch.js'
import type { Environment, OpenDevice } from './environment.js'
import { attempt } from './failures.js'
import { loadAddon } from './load-addon.js'
import { memlockLimitBytes } from './memlock.js'
import type { Created, NativeBinding, NativeCmDevice } from './native-binding.js'

class AddonVerbs implements Verbs, Environment {
  readonly implementation = 'addon'
  readonly clock: Clock = systemClock
  readonly binding = loadAddon()
  readonly dispatch = new Dispatch(this.binding)
  readonly subjects = new Map<number, WeakRef<object>>()
  /** The devices that the machine has, by name. */
  readonly #devices = new Map<string, AddonDevice>()
  /** The same and those that were removed, by the number of their native context: ids on them may still be open. */
  readonly #contexts = new Map<number, AddonDevice>()
  #channel: Created | undefined
  #closed = false

  get closed(): boolean {
    return this.#closed
  }

  devices(): readonly Device[] {
    this.#check()
    const { devices = [], deviceListErrno } = this.binding.probe(0)
    if (deviceListErrno !== 0) throw unavailable()
    return devices.map(({ name }) => this.#device(name))
  }

  #device(name: string): AddonDevice {
    let device = this.#devices.get(name)
    if (device === undefined) {
      device = new AddonDevice(this, name)
      this.#devices.set(name, device)
      this.#contexts.set(device.serial, device)
    }
    return device
  }

  deviceOf({ name, context }: NativeCmDevice): AddonDevice {
    const known = this.#contexts.get(context)
    if (known !== undefined) return known
    // A known device of that name is another one, whose removal was not reported yet.
    this.#devices.delete(name)
    return this.#device(name)
  }

  forget(device: OpenDevice): void {
    if (this.#devices.get(device.name) === device) this.#devices.delete(device.name)
  }

  createCmId(): CmId {
    this.#check()
    this.#channel ??= this.#createChannel()
    const { handle } = this.#channel
    return new AddonCmId(
      this,
      attempt(() => this.binding.createCmId(handle)),
      'idle',
    )
  }

  #createChannel(): Created {
    try {
      return this.binding.createCmChannel()
    } catch (cause) {
      throw unavailable(cause)
    }
  }

  get memlockLimitBytes(): number {
    return memlockLimitBytes()
  }

  get pinnedBytes(): number {
    return this.binding.pinnedBytes()
  }

  get counts(): VerbsCounts {
    // In the order of `enum ResourceKind` of `src/env_state.h`.
    const [windows, pairs, shared, queues, channels, regions, ids, , domains] = this.binding.counts()
    return {
      protectionDomains: domains!,
      memoryRegions: regions!,
      memoryWindows: windows!,
      completionChannels: channels!,
      completionQueues: queues!,
      sharedReceiveQueues: shared!,
      queuePairs: pairs!,
      cmIds: ids!,
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.dispatch.clear()
    this.subjects.clear()
    this.binding.closeAll()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #check(): void {
    if (this.#closed) throw new NettsError('ERR_NETTS_INVALID_STATE', 'verbs are closed')
  }
}

/** The error that says why RDMA cannot be used, and what to do. */
function unavailable(cause?: unknown): NettsError {
  const found = rdmaAvailability()
  const message = found.available ? 'RDMA cannot be used' : `${found.message} ${found.remedy}`
  return new NettsError('ERR_NETTS_UNAVAILABLE', message, {
    operation: 'open',
    ...(cause !== undefined && { cause }),
  })
}

let current: AddonVerbs | undefined

/**
 * RDMA verbs of this machine, through the addon, which the first call loads. Every call on a thread returns the same
 * object until that is closed: close it only if no other part of the program uses it. It is closed when the thread
 * ends.
 *
 * @throws NettsError `ERR_NETTS_UNAVAILABLE` when libibverbs or librdmacm is missing, or there is no addon for this
 *   machine; the message says what to do. A machine without a device is no error. See {@link rdmaAvailability}
 */
export function openVerbs(): Verbs {
  if (current !== undefined && !current.closed) return current
  let binding: NativeBinding
  try {
    binding = loadAddon()
  } catch (cause) {
    throw unavailable(cause)
  }
  if (!binding.probe(0).librariesLoaded) throw unavailable()
  current = new AddonVerbs()
  return current
}
