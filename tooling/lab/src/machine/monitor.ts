/** QEMU's machine protocol (QMP) as far as the lab needs it: one JSON command after the other. */
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { LabError } from '../progress.js'

export interface Monitor {
  /** Runs one QMP command; rejects when QEMU refuses it or ends before it answers. */
  execute(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown>
}

interface Answer {
  return?: unknown
  error?: { desc: string }
}

export function createMonitor(channel: Duplex): Monitor {
  const waiting: { command: string; resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
  const lines = createInterface({ input: channel, crlfDelay: Number.POSITIVE_INFINITY })
  lines.on('line', (line) => {
    const answer = JSON.parse(line) as Answer
    if (!('return' in answer) && answer.error === undefined) return // the greeting, or an event
    const asked = waiting.shift()
    if (answer.error) asked?.reject(new LabError(`QEMU refused ${asked.command}: ${answer.error.desc}`))
    else asked?.resolve(answer.return)
  })
  lines.on('close', () => {
    for (const asked of waiting.splice(0)) asked.reject(new LabError(`QEMU ended before ${asked.command}`))
  })
  const execute: Monitor['execute'] = (command, parameters = {}) =>
    new Promise((resolve, reject) => {
      if (channel.destroyed) return reject(new LabError(`QEMU ended before ${command}`))
      waiting.push({ command, resolve, reject })
      channel.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`)
    })
  // Commands are refused until this one; if QEMU does not come up, that is reported elsewhere.
  execute('qmp_capabilities').catch(() => {})
  return { execute }
}
