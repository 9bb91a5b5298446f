/** `netts doctor`: the command line, and what it prints. */
import type { HostAddress } from '@netts/core'
import { Command, InvalidArgumentError } from 'commander'
import { integer } from '../arguments.js'
import { parseHostAndPort } from '../endpoint.js'
import { showProgress } from '../output/progress.js'
import { diagnose, isHealthy } from './diagnose.js'
import type { Finding } from './finding.js'
import { examine } from './peer/examine.js'
import { judgePeer } from './peer/judge.js'
import { PEER_PORT, WIRES } from './peer/messages.js'
import { serve } from './peer/serve.js'
import { probe } from './probe/index.js'
import { renderFindings } from './render.js'

interface DoctorArguments {
  readonly memory: number
  readonly peer?: HostAddress
  readonly serve?: HostAddress | true
  readonly timeout: number
  readonly json?: boolean
  readonly quiet?: boolean
}

const MIB = 2 ** 20

/** Parses a host, with an optional port. */
function host(text: string): HostAddress {
  const address = parseHostAndPort(text, PEER_PORT)
  if (address === undefined || address.port > 65_535)
    throw new InvalidArgumentError('it is HOST or HOST:PORT.')
  return address
}

/** Makes the command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('find out why RDMA does not work here, or how well it works')
    .option('--memory <MiB>', 'how much memory to register with each device', integer(1, 1 << 20), 64)
    .option('--peer <host>', 'test every wire to another host, on which netts doctor --serve runs', host)
    .option('--serve [host]', 'serve netts doctor --peer of other hosts', host)
    .option(
      '--timeout <ms>',
      'with --peer and --serve: how long a step may take',
      integer(1, 3_600_000),
      10_000,
    )
    .option('--json', 'print everything that was found as JSON')
    .option('--quiet', 'show no progress')
    .addHelpText(
      'after',
      `
HOST may have a port: 10.0.0.7:4000, [fd00::7]:4000. The default port is ${PEER_PORT}.
It ends with status 1 if there is a problem with RDMA, or with --peer, if one of the wires does not work.`,
    )
    .action(runDoctor)
}

async function runDoctor(options: DoctorArguments): Promise<void> {
  const { serve: served, peer, timeout: timeoutMs } = options
  if (served !== undefined) {
    const address = served === true ? { host: '0.0.0.0', port: PEER_PORT } : served
    return serve(address, timeoutMs)
  }
  const progress = showProgress('doctor', peer ? WIRES.length + 1 : 1, options.quiet)
  let steps = 0
  const onStep = (step: string) => {
    progress.step(step)
    progress.done(steps++)
  }
  try {
    if (peer === undefined) {
      const facts = await probe({ memoryBytes: options.memory * MIB, onStep })
      progress.stop()
      const findings = diagnose(facts)
      const carries = findings.some(({ check, verdict }) => check === 'connection' && verdict === 'ok')
      const badly = carries ? 'RDMA works here, with problems.' : 'RDMA does not work here.'
      print(findings, facts, options, ['RDMA works here.', badly])
    } else {
      const facts = await examine(peer, { timeoutMs, onStep })
      progress.stop()
      print(judgePeer(facts), facts, options, ['Every wire works.', 'Not every wire works.'])
    }
  } finally {
    progress.stop()
  }
}

function print(
  findings: readonly Finding[],
  facts: object,
  { json }: DoctorArguments,
  [well, badly]: readonly [well: string, badly: string],
): void {
  const works = isHealthy(findings)
  if (json) console.log(JSON.stringify({ works, findings, facts }, undefined, 2))
  else {
    console.log(renderFindings(findings, process.stdout.columns ?? 120))
    console.log(`\n${works ? well : badly}`)
  }
  if (!works) process.exitCode = 1
}
