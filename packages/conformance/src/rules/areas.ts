/** The areas of the contract, in the order in which a driver is best debugged; and the areas about messages only. */
import type { Area } from './area.js'
import { capabilityRules } from './capabilities.js'
import { connectRules } from './connect.js'
import { connectionRules } from './connection.js'
import { connectionEndingRules } from './connection-ending.js'
import { connectionMemoryRules } from './connection-memory.js'
import { connectionWaitingRules } from './connection-waiting.js'
import { crashRules } from './crash.js'
import { deadlineRules } from './deadlines.js'
import { destroyRules } from './destroy.js'
import { disconnectRules } from './disconnect.js'
import { flowControlRules } from './flow-control.js'
import { halfCloseRules } from './half-close.js'
import { keepAliveRules } from './keep-alive.js'
import { leakRules } from './leaks.js'
import { listenRules } from './listen.js'
import { manyConnectionsRules } from './many-connections.js'
import { queuedBytesRules } from './queued-bytes.js'
import { randomScheduleRules } from './random-schedule.js'
import { receiveRules } from './receive.js'
import { sendRules } from './send.js'
import { sendBufferRules } from './send-buffer.js'
import { throwingRules } from './throwing.js'
import { unpolledRules } from './unpolled.js'
import { wakerRules } from './waker.js'

export const messageAreas: Readonly<Record<string, Area>> = {
  'messages over it': connectionRules,
  'messages: waiting and cancelling': connectionWaitingRules,
  'messages: ending': connectionEndingRules,
  'messages: memory': connectionMemoryRules,
}

export const areas: Readonly<Record<string, Area>> = {
  connect: connectRules,
  listen: listenRules,
  capabilities: capabilityRules,
  send: sendRules,
  'send from a pooled buffer': sendBufferRules,
  receive: receiveRules,
  'flow control': flowControlRules,
  'queued bytes': queuedBytesRules,
  waker: wakerRules,
  'half-close': halfCloseRules,
  disconnect: disconnectRules,
  destroy: destroyRules,
  'what arrived and was not polled': unpolledRules,
  'ref and unref': keepAliveRules,
  'peer crash': crashRules,
  'what throws': throwingRules,
  deadlines: deadlineRules,
  ...messageAreas,
  'many connections': manyConnectionsRules,
  'nothing leaks': leakRules,
  'random schedules': randomScheduleRules,
}
