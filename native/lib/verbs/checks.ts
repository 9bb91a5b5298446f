/** Checks that every implementation of verbs makes of what a program gives. */
import { types } from 'node:util'
import { invalidArgument } from '@netts/core/driver'
import { AccessFlag } from './layout.js'

const ALL_ACCESS = Object.values(AccessFlag).reduce((all, bit) => all | bit, 0)

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless they are {@link AccessFlag}s that may be combined */
export function checkAccess(access: number): void {
  if (!Number.isInteger(access) || access < 0 || (access & ~ALL_ACCESS) !== 0) {
    throw invalidArgument(`access must be AccessFlags, not ${access}`, 'ibv_reg_mr')
  }
  const needsLocalWrite = AccessFlag.remoteWrite | AccessFlag.remoteAtomic
  if ((access & needsLocalWrite) !== 0 && (access & AccessFlag.localWrite) === 0) {
    throw invalidArgument('access: remoteWrite and remoteAtomic need localWrite as well', 'ibv_reg_mr')
  }
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for memory that could be taken away while the device uses it */
export function checkSharedMemory(memory: Uint8Array): Uint8Array {
  // Of any realm: jest gives each test file globals of its own.
  if (types.isUint8Array(memory) && types.isSharedArrayBuffer(memory.buffer) && memory.byteLength > 0)
    return memory
  throw invalidArgument(
    'memory must be a Uint8Array of at least one byte over a SharedArrayBuffer, which nobody can transfer away',
    'ibv_reg_mr',
  )
}
