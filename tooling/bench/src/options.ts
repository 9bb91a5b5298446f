/** The command line. */
import { parseArgs } from 'node:util'
import { contenders } from './contenders/index.js'
import { scenarios } from './plan.js'

export interface Options {
  readonly quick: boolean
  readonly only: readonly string[]
  readonly contenders: readonly string[]
  readonly byteLengths?: readonly number[] | undefined
  readonly rounds?: number | undefined
  readonly minutes?: number | undefined
  readonly host: string
  readonly json?: string | undefined
  readonly html: string
  readonly profiles?: string | undefined
  readonly updateReadme: boolean
  readonly lab: boolean
  readonly help: boolean
}

export const HELP = `netts beside its peers, in one run

  npx pnpm bench [options]

  --quick              the most important points of every scenario, in some three minutes
  --only A,B           only these scenarios: ${scenarios.map(({ id }) => id).join(', ')}
  --contenders A,B     only these: ${contenders.map(({ id }) => id).join(', ')}
  --sizes A,B          messages of these sizes in bytes, instead of the sizes of each scenario
  --rounds N           at most so many rounds  [default: 5; in the lab 3, or 1 with --quick]
  --minutes N          begin nothing after so many minutes
  --json FILE          write the results as JSON (- for standard output)
  --html FILE          write the report there  [default: results/bench.html]
  --profiles FOLDER    write a processor profile of every worker there
  --update-readme      put the ratios into the READMEs
  --lab                run inside the RDMA lab, with perftest and rstream: up to 25 minutes, --quick ten
  --host ADDRESS       listen on this address  [default: 127.0.0.1]
`

/** @throws Error with a message for people, when something is unknown */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      contenders: { type: 'string', default: '' },
      sizes: { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      json: { type: 'string' },
      html: { type: 'string', default: 'results/bench.html' },
      profiles: { type: 'string' },
      'update-readme': { type: 'boolean', default: false },
      lab: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  return {
    quick: values.quick,
    only: known(values.only, '--only', scenarios),
    contenders: known(values.contenders, '--contenders', contenders),
    byteLengths: values.sizes?.split(',').map((size) => positive(size, '--sizes') as number),
    rounds: positive(values.rounds, '--rounds'),
    minutes: positive(values.minutes, '--minutes'),
    host: values.host,
    json: values.json,
    html: values.html,
    profiles: values.profiles,
    updateReadme: values['update-readme'],
    lab: values.lab,
    help: values.help,
  }
}

function positive(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(Number.isInteger(value) && value > 0))
    throw new Error(`${option} must be a positive integer, not ${text}`)
  return value
}

function known(list: string, option: string, all: readonly { readonly id: string }[]): string[] {
  const ids = list.split(',').filter((id) => id !== '')
  for (const id of ids) {
    if (!all.some((one) => one.id === id)) {
      throw new Error(`${option}: there is no ${id}; there are ${all.map((one) => one.id).join(', ')}`)
    }
  }
  return ids
}
