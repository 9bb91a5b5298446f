/** `npx pnpm lab -- COMMAND…`: runs a command where RDMA works. */
import { openLab } from './lab.js'

const argv = process.argv.slice(2).filter((word, index) => !(index === 0 && word === '--'))
const lab = await openLab()
const write = (stream: NodeJS.WriteStream) => (chunk: Buffer) =>
  new Promise<void>((resolve) => {
    stream.write(chunk, () => resolve())
  })
const { status } = await lab.guests[0].run(argv, {
  onStdout: write(process.stdout),
  onStderr: write(process.stderr),
})
await lab[Symbol.asyncDispose]()
process.exit(status ?? 1)
