/** The example, scraped by a real Prometheus: every panel of the dashboard has something to show. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SERVICE = here('../examples/prometheus/service.ts')
const CONFIGURATION = readFileSync(here('../examples/prometheus/prometheus.yml'), 'utf8')
const isMissing = spawnSync('prometheus', ['--version']).status !== 0 && process.env.CI !== 'true'

interface Panel {
  readonly title: string
  readonly type: string
  readonly targets?: readonly { readonly expr: string }[]
}
const dashboard = JSON.parse(readFileSync(here('../dashboards/netts.json'), 'utf8')) as {
  readonly panels: readonly Panel[]
}
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }, index) => ({ name: `${title}${targets.length > 1 ? ` ${index + 1}` : ''}`, expr })),
)

/** What happens only where something is wrong, and what the example does not do: these must be valid, and may be empty. */
const QUIET = /Falls to another wire|Copies 2/

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe.skipIf(isMissing)(
  `the example with Prometheus${isMissing ? ' (skipped: there is no prometheus)' : ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'netts-prometheus-'))
    const children: ChildProcess[] = []
    let url: string

    const start = (command: string, args: readonly string[], env: Record<string, string> = {}) => {
      const { NODE_OPTIONS: _, ...inherited } = process.env
      const child = spawn(command, args, {
        env: { ...inherited, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      child.stderr.on('data', (data: Buffer) => {
        if (/level=error|Error/.test(String(data))) process.stderr.write(data)
      })
      children.push(child)
    }

    beforeAll(async () => {
      const [metricsPort, port] = [await freePort(), await freePort()]
      const configuration = join(folder, 'prometheus.yml')
      writeFileSync(configuration, CONFIGURATION.replace(':9464', `:${metricsPort}`))
      start(process.execPath, ['--conditions=@netts/source', '--import', 'tsx', SERVICE], {
        METRICS_PORT: `${metricsPort}`,
      })
      start('prometheus', [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ])
      url = `http://127.0.0.1:${port}`
    })
    afterAll(async () => {
      for (const child of children) {
        if (child.exitCode !== null) continue
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    })

    /** @returns the samples; `undefined` while Prometheus does not answer */
    async function query(
      expression: string,
    ): Promise<{ metric: object; value: [number, string] }[] | undefined> {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`).catch(
        () => undefined,
      )
      if (response === undefined || response.status === 503) return undefined
      const answer = (await response.json()) as {
        data: { result: { metric: object; value: [number, string] }[] }
      }
      expect(answer, expression).toMatchObject({ status: 'success' })
      return answer.data.result
    }

    async function untilThereIs(expression: string) {
      for (;;) {
        const found = await query(expression)
        if (found !== undefined && found.length > 0 && found[0]!.value[1] !== 'NaN') return found
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }

    it('the target is up, and counts what the service does', async () => {
      await untilThereIs('up{job="netts"} == 1')
      const [sample] = await untilThereIs(
        'sum(netts_message_count_total{netts_connection_role="client",network_io_direction="transmit"}) > 10',
      )
      expect(Number(sample!.value[1])).toBeGreaterThan(10)
      // Each message of 1000 bytes, and nothing else.
      const [bytes] = await untilThereIs(
        'sum(netts_io_total{network_io_direction="transmit",netts_connection_role="client"}) / ' +
          'sum(netts_message_count_total{network_io_direction="transmit",netts_connection_role="client"})',
      )
      expect(Number(bytes!.value[1])).toBe(1000)
    })

    it('has panels', () => {
      expect(queries.length).toBeGreaterThan(10)
    })

    it.each(queries)('the panel $name has something to show', async ({ name, expr }) => {
      const expression = expr
        .replaceAll('$job', '.*')
        .replaceAll('$wire', '.*')
        .replaceAll('$__rate_interval', '10s')
      if (QUIET.test(name)) {
        // Valid, that is.
        expect(await query(expression)).toBeDefined()
      } else expect((await untilThereIs(expression)).length).toBeGreaterThan(0)
    })
  },
)
