/** What the objects of one Verbs share. */

import type { AddonDevice } from './device.js'
import type { Dispatch } from './dispatch.js'
import type { NativeBinding } from './native-binding.js'
import type { NativeObject } from './native-object.js'

export interface Environment {
  readonly binding: NativeBinding
  readonly dispatch: Dispatch
  /** Everything native was closed. */
  readonly closed: boolean
  /** The opened device of that name. */
  device(name: string): AddonDevice
  /** Open objects that device events may be about, by number, without keeping them alive. */
  readonly subjects: Map<number, WeakRef<NativeObject>>
}
