/** Runs a measurement inside the RDMA lab, in one boot. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLab } from '@netts/lab'
import type { Progress } from '../run/benchmark.js'
import type { Measured, Request } from '../run/measure.js'

/** Nothing takes longer than this in the lab. */
const TIMEOUT_MS = 60 * 60_000

/**
 * @param program the bundled `inside.ts`
 * @param worker the bundled worker
 * Rejects when the lab can't be opened, or the program in it fails as a whole.
 */
export async function measureInLab(
  request: Request,
  program: string,
  worker: string,
  progress: Progress,
): Promise<Measured> {
  const resultsFolder = await mkdtemp(join(tmpdir(), 'netts-bench-'))
  try {
    await using lab = await openLab({ devices: ['rxe'], resultsFolder })
    const inside = '"$NETTS_LAB_RESULTS/measured.json"'
    const argv = [process.execPath, program, JSON.stringify(request), worker].map(shellWord).join(' ')
    const { status, stderr } = await lab.host.run(['sh', '-c', `exec ${argv} ${inside}`], {
      timeoutMs: TIMEOUT_MS,
      onStdout: lines((line) => follow(progress, line)),
    })
    if (status !== 0) throw new Error(`the benchmark in the lab ended with status ${status}:\n${stderr}`)
    return JSON.parse(await readFile(join(resultsFolder, 'measured.json'), 'utf8')) as Measured
  } finally {
    await rm(resultsFolder, { recursive: true, force: true })
  }
}

function follow(progress: Progress, line: string): void {
  const [call, value] = JSON.parse(line) as ['begin', number] | ['step', string] | ['done', undefined]
  if (call === 'begin') progress.begin(value)
  else if (call === 'step') progress.step(value)
  else progress.done()
}

function lines(take: (line: string) => void): (chunk: Buffer) => void {
  let rest = ''
  return (chunk) => {
    const parts = (rest + String(chunk)).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) take(line)
  }
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
