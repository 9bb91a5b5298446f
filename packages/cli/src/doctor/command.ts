/** `netts doctor`: the command line, and what it prints. */
import { Command } from 'commander'
import { integer } from '../arguments.js'
import { showProgress } from '../output/progress.js'
import { diagnose, isHealthy } from './diagnose.js'
import { probe } from './probe/index.js'
import { renderFindings } from './render.js'

interface DoctorArguments {
  readonly memory: number
  readonly json?: boolean
  readonly quiet?: boolean
}

const MIB = 2 ** 20

/** Makes the command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('why RDMA does not work here, and how well it does where it does')
    .option('--memory <MiB>', 'how much memory to register with each device', integer(1, 1 << 20), 64)
    .option('--json', 'print everything that was found as JSON')
    .option('--quiet', 'show no progress')
    .addHelpText('after', '\nIt ends with status 1 where RDMA does not work.')
    .action(runDoctor)
}

async function runDoctor({ memory, json, quiet }: DoctorArguments): Promise<void> {
  const progress = showProgress('doctor', 1, quiet)
  const facts = await probe({ memoryBytes: memory * MIB, onStep: (step) => progress.step(step) })
  progress.stop()
  const findings = diagnose(facts)
  const works = isHealthy(findings)
  if (json) console.log(JSON.stringify({ works, findings, facts }, undefined, 2))
  else {
    console.log(renderFindings(findings, process.stdout.columns ?? 120))
    console.log(works ? '\nRDMA works here.' : '\nRDMA does not work here.')
  }
  if (!works) process.exitCode = 1
}
