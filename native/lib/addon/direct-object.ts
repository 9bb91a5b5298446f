/**
 * Objects with calls that run for every batch of work. These calls name the object by a number, which native code looks
 * up: checking a handle takes as much time as all the rest of a call.
 */
import type { Environment } from './environment.js'
import type { Created } from './native-binding.js'
import { NativeObject } from './native-object.js'

/** The number of no object: calls with it are refused, as those of a closed object. */
const NO_OBJECT = 0

/** An object with a native handle, and a number for calls. */
export abstract class DirectObject extends NativeObject {
  /** Names the object in calls. Native code refuses that of a closed object, so it is not checked here. */
  protected callId: number

  /** @param name for messages, such as `the queue pair` */
  constructor(environment: Environment, created: Created, name: string) {
    super(environment, created, name)
    this.callId = created.callId
  }

  override close(): void {
    this.callId = NO_OBJECT
    super.close()
  }
}
