/**
 * What existing software costs over streams of each transport, beside the same over `node:net` and `node:tls`, and what
 * messages cost under TLS. Prints tables: medians over interleaved rounds, by the processor time of this process, in which
 * both ends are, since other programs take some of the rest. Names of services or sizes as arguments choose among them.
 */
import Table from 'cli-table3'
import { floods } from './messages.js'
import { services } from './services.js'
import {
  drivers,
  netSockets,
  nettsStand,
  plainDuplexes,
  type Stand,
  tlsDrivers,
  tlsPlainDuplexes,
  tlsSockets,
} from './stands.js'

const ROUNDS = 7
const ROUND_MS = 250

/** What is measured, and how long a single one of it takes. */
interface Row {
  readonly title: string
  /** Does it so many times. */
  run(count: number): Promise<void>
  close(): void
}

/** Measures rows in interleaved rounds. Prints microseconds of processor time for one, and each row against `of`. */
async function measure(title: string, rows: readonly Row[], of: readonly string[]): Promise<void> {
  const counts = new Map<Row, number>()
  const taken = new Map<Row, number[]>()
  for (const row of rows) {
    // Warms up, and finds out how many are a round.
    const before = process.cpuUsage()
    let count = 0
    for (let n = 64; spent(before) < 2 * ROUND_MS * 1000; n *= 2) {
      await row.run(n)
      count += n
    }
    counts.set(row, Math.max(1, Math.ceil((count * ROUND_MS * 1000) / spent(before))))
    taken.set(row, [])
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[(index + round) % rows.length]!
      const count = counts.get(row)!
      const before = process.cpuUsage()
      await row.run(count)
      taken.get(row)!.push(spent(before) / count)
    }
  }
  const table = new Table({ head: [title, 'µs', ...of.map((name) => `times as good as ${name}`)] })
  for (const row of rows) {
    const ratios = of.map((name) => {
      const others = taken.get(rows.find((other) => other.title === name)!)!
      return `${median(taken.get(row)!.map((each, round) => others[round]! / each)).toFixed(2)} ×`
    })
    table.push([row.title, median(taken.get(row)!).toFixed(2), ...ratios])
  }
  console.log(table.toString())
  for (const row of rows) row.close()
}

/** Microseconds of processor time since then. */
function spent(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function median(values: readonly number[]): number {
  return [...values].sort((one, two) => one - two)[Math.floor(values.length / 2)]!
}

const stands: readonly Stand[] = [
  netSockets,
  plainDuplexes,
  ...drivers.map(({ title, builder, address }) => nettsStand(title, builder, builder, address)),
  tlsSockets,
  ...tlsDrivers().map(({ title, client, server, address }) => nettsStand(title, client, server, address)),
]

const chosen = process.argv.slice(2)
const isChosen = (name: string) => chosen.length === 0 || chosen.includes(name)

for (const service of services) {
  if (!isChosen(service.title)) continue
  const rows: Row[] = []
  for (const stand of stands) {
    const { ask, close } = await service.open(stand)
    const run = async (count: number) => {
      let left = count
      const loop = async () => {
        while (left-- > 0) await ask()
      }
      await Promise.all(Array.from({ length: service.concurrency }, loop))
    }
    rows.push({ title: stand.title, run, close })
  }
  await measure(`${service.title}, a request`, rows, [
    netSockets.title,
    ...(service.title === 'HTTP/1.1' ? [plainDuplexes.title] : []),
    tlsSockets.title,
  ])
}

for (const [size, byteLength] of [
  ['64 B', 64],
  ['64 KiB', 65_536],
] as const) {
  if (!isChosen(size)) continue
  const rows: Row[] = []
  for (const { title, open } of floods) {
    const { send, close } = await open()
    rows.push({ title, run: (count) => send(count, byteLength), close })
  }
  await measure(`TLS, a message of ${size}`, rows, [tlsSockets.title, tlsPlainDuplexes.title])
}
process.exit(0)
