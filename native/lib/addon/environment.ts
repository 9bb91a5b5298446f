/** What the objects of one Verbs share, and what they know of the device they are made on. */
import type { Device } from '../verbs/device.js'
import type { Dispatch } from './dispatch.js'
import type { Handle, NativeBinding, NativeCmDevice } from './native-binding.js'

export interface Environment {
  readonly binding: NativeBinding
  readonly dispatch: Dispatch
  /** Everything native was closed. */
  readonly closed: boolean
  /** The device of an id, opened. */
  deviceOf(found: NativeCmDevice): OpenDevice
  /** A device is gone for good: one of its name that comes is another. */
  forget(device: OpenDevice): void
  /** Open objects that device events may be about, by number, without keeping them alive. */
  readonly subjects: Map<number, WeakRef<object>>
}

/** A device of this implementation. */
export interface OpenDevice extends Device {
  readonly environment: Environment
  /** The handle, for a call. @throws NettsError `ERR_NETTS_INVALID_STATE` when closed */
  use(): Handle
  /** The device is gone for good. What was made on it lives on until it is closed. Idempotent. */
  depart(): void
}
