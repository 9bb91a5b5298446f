/** The pages that are made from the repository: READMEs, protocols, the error table and the benchmark. */
import { posix } from 'node:path'
import { ERROR_CODES } from '@netts/core'
import { rewriteLinks } from './links.js'
import { PACKAGES } from './pages.js'
import { read } from './repository.js'

/** Pages by their path below `reference`. */
export function referencePages(): Map<string, string> {
  return new Map([
    ...PACKAGES.map(({ name, folder }) => [`${name}.md`, fromFile(`${folder}/README.md`)] as const),
    ...['rdma-sendrecv', 'rdma-ring'].map(
      (name) => [`protocol-${name}.md`, fromFile(`packages/${name}/docs/PROTOCOL.md`)] as const,
    ),
    ['doctor.md', fromFile('packages/cli/docs/doctor.md')],
    ['errors.md', errorsPage()],
    ['benchmarks.md', benchmarksPage(JSON.parse(read('tooling/site/data/benchmark.json')))],
  ])
}

function fromFile(path: string): string {
  return `---\neditLink: false\n---\n\n${rewriteLinks(read(path), posix.dirname(path))}`
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `## ${code}\n\n${meaning}\n`)
  return `# Errors

Every error of netts is a \`NettsError\`. Programs test its \`code\`, which is stable; messages may change. \`operation\` is the operation that failed, \`address\` the address concerned, and \`cause\` the error that led to it: one of Node.js with its own \`code\`, the reason of an AbortSignal, or the status of a completion.

A call with wrong arguments, or in a wrong state, throws before anything happens. An error of the network rejects the promise of the call, or is the value of \`connection.closed\`, or a transport's \`error\`.

${rows.join('\n')}`
}

/** As much of the benchmark's JSON as the page shows. */
export interface Benchmark {
  readonly startedAt: string
  readonly command: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly system: string
    readonly node: string
    readonly loadBefore: number
  }
  readonly contenders: readonly { readonly id: string; readonly title: string; readonly about: string }[]
  readonly scenarios: readonly {
    readonly title: string
    readonly question: string
    /** Their titles. */
    readonly metrics: readonly string[]
    readonly points: readonly {
      readonly label: string
      readonly rows: readonly {
        readonly contender: string
        /** The median of each metric, with its unit; empty where it was not measured. */
        readonly figures: readonly string[]
      }[]
    }[]
  }[]
}

export function benchmarksPage(runs: readonly Benchmark[]): string {
  return `# Benchmarks

Medians over interleaved rounds. Compare rows of one table: absolute figures belong to the machine. Every payload is verified.

${runs.map(sectionOf).join('\n')}`
}

function sectionOf({ startedAt, command, machine, contenders, scenarios }: Benchmark): string {
  const titles = new Map(contenders.map(({ id, title }) => [id, title]))
  const sections = scenarios.map(({ title, question, metrics, points }) => {
    const tables = points.map(({ label, rows }) => {
      const shown = metrics
        .map((_, index) => index)
        .filter((index) => rows.some(({ figures }) => figures[index]))
      const head = ['', ...shown.map((index) => metrics[index])]
      const body = rows.map(({ contender, figures }) => [
        titles.get(contender) ?? contender,
        ...shown.map((index) => figures[index]),
      ])
      const lines = [head, ['---', ...shown.map(() => '---:')], ...body].map(
        (cells) => `| ${cells.join(' | ')} |`,
      )
      return `### ${title}: ${label}\n\n${lines.join('\n')}\n`
    })
    return `## ${title}\n\n${question}\n\n${tables.join('\n')}`
  })
  return `Measured on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node.js ${machine.node}, ${startedAt.slice(0, 10)}, by \`${command}\`. The machine's load average was ${machine.loadBefore} before the run: a load near 0 gives the best figures.

${contenders.map(({ title, about }) => `- **${title}**: ${about}`).join('\n')}

${sections.join('\n')}`
}
