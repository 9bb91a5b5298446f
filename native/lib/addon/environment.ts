/** What the objects of one Verbs share, and what they need of the device on which they are made. */
import type { Device } from '../verbs/device.js'
import type { Dispatch } from './dispatch.js'
import type { Handle, NativeBinding, NativeCmDevice } from './native-binding.js'

export interface Environment {
  readonly binding: NativeBinding
  readonly dispatch: Dispatch
  /** Whether the Verbs, and so every object, was closed. */
  readonly closed: boolean
  /** The device of an id, opened. */
  deviceOf(found: NativeCmDevice): OpenDevice
  /** A device was removed: a device of its name that comes later is another one. */
  forget(device: OpenDevice): void
  /** Open objects that device events may be about, by number, without keeping them alive. */
  readonly subjects: Map<number, WeakRef<object>>
}

/** A device of this implementation. */
export interface OpenDevice extends Device {
  readonly environment: Environment
  /** The handle, for a call. @throws NettsError `ERR_NETTS_INVALID_STATE` when closed */
  use(): Handle
  /** The device was removed. What was made on it stays open until it is closed. Idempotent. */
  depart(): void
}
