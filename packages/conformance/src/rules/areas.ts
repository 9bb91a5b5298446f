/** The areas of the contract, in the order in which a driver is best debugged. */
import type { Area } from './area.js'
import { capabilityRules } from './capabilities.js'
import { connectRules } from './connect.js'
import { connectionRules } from './connection.js'
import { crashRules } from './crash.js'
import { destroyRules } from './destroy.js'
import { disconnectRules } from './disconnect.js'
import { flowControlRules } from './flow-control.js'
import { halfCloseRules } from './half-close.js'
import { leakRules } from './leaks.js'
import { listenRules } from './listen.js'
import { manyConnectionsRules } from './many-connections.js'
import { randomScheduleRules } from './random-schedule.js'
import { receiveRules } from './receive.js'
import { sendRules } from './send.js'
import { sendBufferRules } from './send-buffer.js'
import { wakerRules } from './waker.js'

export const areas: Readonly<Record<string, Area>> = {
  connect: connectRules,
  listen: listenRules,
  capabilities: capabilityRules,
  send: sendRules,
  'send from a pooled buffer': sendBufferRules,
  receive: receiveRules,
  'flow control': flowControlRules,
  waker: wakerRules,
  'half-close': halfCloseRules,
  disconnect: disconnectRules,
  destroy: destroyRules,
  'peer crash': crashRules,
  'messages over it': connectionRules,
  'many connections': manyConnectionsRules,
  'nothing leaks': leakRules,
  'random schedules': randomScheduleRules,
}
