/** Send work requests of the simulated device: read from records, and checked as the addon checks them. */
import { NettsError } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'
import { joinAddress } from '../verbs/addresses.js'
import { CompletionOpcode, SEND, SendFlag, SendOpcode } from '../verbs/layout.js'
import type { Machine } from './machine.js'
import { type Entry, readEntries } from './shared-receive-queue.js'

/** A posted send work request. */
export interface SendRequest {
  readonly idLow: number
  readonly idHigh: number
  readonly opcode: number
  readonly flags: number
  readonly entries: readonly Entry[]
  readonly byteLength: number
  /** The bytes of an inline request, copied while posting. */
  readonly inlineData: Uint8Array | undefined
  readonly immediate: number
  readonly remoteAddress: bigint
  readonly remoteKey: number
  readonly windowId: number
  readonly windowAccess: number
  readonly compareOrAdd: bigint
  readonly swap: bigint
}

/** What the check of a request needs of the queue pair to which it is posted. */
export interface SendQueue {
  readonly host: Machine
  readonly protectionDomain: object
  readonly maxSendEntries: number
  readonly maxInlineBytes: number
}

/** The completion's opcode, by the request's. */
export const COMPLETION_OPCODE: readonly number[] = [
  CompletionOpcode.write,
  CompletionOpcode.write,
  CompletionOpcode.send,
  CompletionOpcode.send,
  CompletionOpcode.read,
  CompletionOpcode.compareAndSwap,
  CompletionOpcode.fetchAndAdd,
  CompletionOpcode.localInvalidate,
  CompletionOpcode.bindWindow,
  CompletionOpcode.send,
]

/** Whether a request brings data back. Such requests count against the initiator depth, and a fence waits for them. */
export function bringsDataBack(request: SendRequest): boolean {
  return (
    request.opcode === SendOpcode.read ||
    request.opcode === SendOpcode.compareAndSwap ||
    request.opcode === SendOpcode.fetchAndAdd
  )
}

/** Whether it uses up a receive of the peer. */
export function takesReceive(request: SendRequest): boolean {
  return (
    request.opcode === SendOpcode.send ||
    request.opcode === SendOpcode.sendWithImmediate ||
    request.opcode === SendOpcode.sendWithInvalidate ||
    request.opcode === SendOpcode.writeWithImmediate
  )
}

/** Whether it carries immediate data. */
export function carriesImmediate(request: SendRequest): boolean {
  return request.opcode === SendOpcode.sendWithImmediate || request.opcode === SendOpcode.writeWithImmediate
}

const ALL_FLAGS = SendFlag.fence | SendFlag.signalled | SendFlag.solicited | SendFlag.inline
const OPERATION = 'ibv_post_send'

/**
 * Reads and checks the record that begins at word `at`.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_UNSUPPORTED`
 */
export function readSendRequest(queuePair: SendQueue, words: Uint32Array, at: number): SendRequest {
  const word = (field: number) => words[at + field] as number
  const opcode = word(SEND.opcode)
  const flags = word(SEND.flags)
  if (opcode >= COMPLETION_OPCODE.length)
    throw invalidArgument(`there is no send opcode ${opcode}`, OPERATION)
  if ((flags & ~ALL_FLAGS) !== 0) throw invalidArgument(`there are no send flags ${flags}`, OPERATION)
  const { host } = queuePair
  const entryCount = word(SEND.entryCount)
  const entries = readEntries(
    host,
    words,
    at + SEND.headerWords,
    entryCount,
    queuePair.maxSendEntries,
    OPERATION,
  )
  const byteLength = entries.reduce((sum, entry) => sum + entry.byteLength, 0)
  const request: SendRequest = {
    idLow: word(SEND.idLow),
    idHigh: word(SEND.idHigh),
    opcode,
    flags,
    entries,
    byteLength,
    inlineData: flags & SendFlag.inline ? gather(queuePair, entries, byteLength) : undefined,
    immediate: word(SEND.immediate),
    remoteAddress: joinAddress(word(SEND.remoteAddressLow), word(SEND.remoteAddressHigh)),
    remoteKey: word(SEND.remoteKey),
    windowId: word(SEND.windowId),
    windowAccess: word(SEND.windowAccess),
    compareOrAdd: joinAddress(word(SEND.compareOrAddLow), word(SEND.compareOrAddHigh)),
    swap: joinAddress(word(SEND.swapLow), word(SEND.swapHigh)),
  }
  checkCapabilities(queuePair, request)
  const isWindowOperation = opcode === SendOpcode.bindWindow || opcode === SendOpcode.localInvalidate
  if (flags & SendFlag.inline) {
    if (bringsDataBack(request) || isWindowOperation) {
      throw invalidArgument('inline is for Send and Write only', OPERATION)
    }
    if (byteLength > queuePair.maxInlineBytes) {
      throw invalidArgument(
        `${byteLength} inline bytes; this queue takes ${queuePair.maxInlineBytes}`,
        OPERATION,
      )
    }
  }
  if (opcode === SendOpcode.compareAndSwap || opcode === SendOpcode.fetchAndAdd) {
    if (entryCount !== 1 || byteLength !== 8)
      throw invalidArgument('an atomic needs one entry of 8 bytes', OPERATION)
    if (request.remoteAddress % 8n !== 0n)
      throw invalidArgument('the remote address of an atomic must be divisible by 8', OPERATION)
  }
  if (opcode === SendOpcode.bindWindow) {
    if (entryCount !== 1) throw invalidArgument('binding a window needs one entry', OPERATION)
    if (!host.memory.window(request.windowId)) {
      throw invalidArgument(`there is no window ${request.windowId}`, OPERATION)
    }
  }
  return request
}

function checkCapabilities(queuePair: SendQueue, request: SendRequest): void {
  const { device } = queuePair.host
  if (carriesImmediate(request)) device.requireCapability('immediateData', 'immediate data')
  switch (request.opcode) {
    case SendOpcode.compareAndSwap:
    case SendOpcode.fetchAndAdd:
      device.requireCapability('atomics', 'atomics')
      break
    case SendOpcode.sendWithInvalidate:
      device.requireCapability('sendWithInvalidate', 'Send with invalidate')
      break
    case SendOpcode.bindWindow:
      device.requireCapability('memoryWindows', 'memory windows')
  }
}

/**
 * Copies the bytes of the entries.
 * @returns `undefined` when the region of an entry was closed, or is of another protection domain
 */
export function gatherIfReachable(
  queuePair: SendQueue,
  entries: readonly Entry[],
  byteLength: number,
): Uint8Array | undefined {
  const bytes = new Uint8Array(byteLength)
  let at = 0
  for (const { regionId, byteOffset, byteLength: length } of entries) {
    const region = queuePair.host.memory.region(regionId)
    if (!region || region.protectionDomain !== queuePair.protectionDomain) return undefined
    bytes.set(region.bytes.subarray(byteOffset, byteOffset + length), at)
    at += length
  }
  return bytes
}

function gather(queuePair: SendQueue, entries: readonly Entry[], byteLength: number): Uint8Array | undefined {
  const bytes = gatherIfReachable(queuePair, entries, byteLength)
  if (!bytes) {
    throw new NettsError('ERR_NETTS_INVALID_ARGUMENT', 'a region is of another protection domain', {
      operation: OPERATION,
    })
  }
  return bytes
}
