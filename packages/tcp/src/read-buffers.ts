/**
 * Receive memory of our own for sockets (`onread` of node:net; sockets of a server get it by `adopt`). It takes half the
 * processor time of Node's own chunks, because no memory is allocated and collected for each read.
 *
 * Small reads go into one scratch block that all sockets share, and are copied out of it, so that an idle connection does
 * not hold 64 KiB. A socket that receives large reads gets blocks of its own, which are passed on by reference. Sharing is
 * safe because libuv calls back for each read before the next one.
 */
import { BLOCK_BYTES, giveBlock, takeBlock } from './blocks.js'
import { BlockChunk, type Chunk, copySmall, LooseChunk, SMALL_BYTES } from './chunks.js'

/** A read of fewer bytes is copied out; a larger one is passed on with its block. */
const BULK_BYTES = BLOCK_BYTES / 4

const scratch = Buffer.allocUnsafeSlow(BLOCK_BYTES)

let scratchView = scratch

/** Receives chunks. */
export interface ReadSink {
  onRead(chunk: Chunk): void
}

/** The receive memory of one socket. */
export class ReadBuffers {
  #current: Buffer = scratch
  #bulk = false
  #closed = false
  /** Set before the first read. */
  sink: ReadSink | undefined

  /** For `onread` of `net.SocketConstructorOpts`. */
  readonly onread = {
    buffer: (): Buffer => this.#next(),
    callback: (byteLength: number, read: Uint8Array): boolean => {
      this.#deliver(byteLength, read as Buffer)
      return true
    },
  }

  /** Gives the socket's own block back. Call it only when the socket is closed and no longer reads. */
  close(): void {
    this.#closed = true
    if (this.#current !== scratch) giveBlock(this.#current)
    this.#current = scratch
  }

  /** Node.js calls this before the first read and after each. */
  #next(): Buffer {
    if (this.#closed) return scratch
    if (this.#bulk && this.#current === scratch) this.#current = takeBlock()
    return this.#current
  }

  /** @param read the memory that Node.js read into; not the last one from `#next` if something threw in between */
  #deliver(byteLength: number, read: Buffer): void {
    const bulk = byteLength >= BULK_BYTES
    this.#bulk = bulk
    this.#current = scratch
    if (bulk && read !== scratch) {
      this.sink?.onRead(new BlockChunk(read, byteLength))
      return
    }
    const chunk = copyOf(this.#view(read, byteLength), bulk)
    if (read !== scratch) giveBlock(read)
    this.sink?.onRead(chunk)
  }

  /** A view of the bytes. Consecutive reads of the same length share one. */
  #view(read: Buffer, byteLength: number): Buffer {
    if (read !== scratch) return read.subarray(0, byteLength)
    if (scratchView.byteLength !== byteLength) scratchView = scratch.subarray(0, byteLength)
    return scratchView
  }
}

function copyOf(bytes: Buffer, bulk: boolean): Chunk {
  if (bytes.byteLength <= SMALL_BYTES) return copySmall(bytes)
  if (!bulk) return new LooseChunk(Buffer.from(bytes))
  const block = takeBlock()
  block.set(bytes)
  return new BlockChunk(block, bytes.byteLength)
}
