/**
 * Objects with calls that run for every batch of work. Those name the object by a number, which native code looks up:
 * the check of a handle costs as much as all the rest of a call.
 */
import type { Environment } from './environment.js'
import type { Created } from './native-binding.js'
import { NativeObject } from './native-object.js'

/** No object's number: calls with it are refused, as calls of a closed object. */
const NO_OBJECT = 0

/** An object with a native handle, and a number for calls. */
export abstract class DirectObject extends NativeObject {
  /** A closed object is refused by native code, which costs calls of open ones nothing. */
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
