import { floods } from './messages.js'
import { services } from './services.js'
import { drivers, nettsStand, plainDuplexes, netSockets } from './stands.js'
const [what, name, n] = process.argv.slice(2)
if (what === 'tls') {
  const f = await floods.find((x) => x.title === name)!.open()
  const size = 65536
  await f.send(Number(process.argv[5] ?? 500), size)
  const b = process.cpuUsage()
  await f.send(Number(n), size)
  const { user, system } = process.cpuUsage(b)
  console.log(name, ((user + system) / Number(n)).toFixed(2), 'us', (user/Number(n)).toFixed(2), (system/Number(n)).toFixed(2))
} else {
  const d = drivers[0]!
  const stand = name === 'plain' ? plainDuplexes : name==='net' ? netSockets : nettsStand('tcp', d.builder, d.builder, d.address)
  const s = await services[0]!.open(stand)
  const run = async (count: number) => { let left = count; const loop = async () => { while (left-- > 0) await s.ask() }; await Promise.all(Array.from({ length: 8 }, loop)) }
  await run(Number(process.argv[5] ?? 2000))
  const b = process.cpuUsage()
  await run(Number(n))
  const { user, system } = process.cpuUsage(b)
  console.log(name, ((user + system) / Number(n)).toFixed(2), 'us', (user/Number(n)).toFixed(2), (system/Number(n)).toFixed(2))
}
process.exit(0)
