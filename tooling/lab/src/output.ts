/** Handing a command's output on to this process's own. */
import type { Writable } from 'node:stream'
import type { OutputSink } from './command.js'

/** Writes every chunk as it is; its promise is the reader's backpressure. */
export function writeThrough(stream: Writable): (chunk: Uint8Array) => Promise<void> {
  return (chunk) =>
    new Promise((resolve) => {
      stream.write(chunk, () => resolve())
    })
}

/** Puts a mark before every line, so that the lines of several commands can be told apart. */
export function createLineMarker(mark: string, write: (chunk: Uint8Array) => Promise<void>): OutputSink {
  let atLineStart = true
  return async (chunk) => {
    const text = chunk.toString('latin1') // keeps every byte as it is
    const marked = (atLineStart ? mark : '') + text.replace(/\n(?!$)/g, `\n${mark}`)
    atLineStart = text.endsWith('\n')
    await write(Buffer.from(marked, 'latin1'))
  }
}
