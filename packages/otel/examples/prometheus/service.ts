/**
 * An echo service whose connections Prometheus can look at, at http://127.0.0.1:9464/metrics, with a pool of clients that
 * keep it busy. See `prometheus.yml` beside it.
 */
import { type Connection, connect, listen } from '@netts/core'
import { instrument } from '@netts/otel'
import { createPool } from '@netts/pool'
import { tcp } from '@netts/tcp'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'

const METRICS_PORT = Number(process.env.METRICS_PORT ?? 9464)
const PAUSE_MS = 20

// Before the first connection.
const exporter = new PrometheusExporter({ host: '127.0.0.1', port: METRICS_PORT })
const instrumentation = instrument({ meterProvider: new MeterProvider({ readers: [exporter] }) })

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message)
}

const listener = await listen(tcp(), { host: '127.0.0.1', port: 0 })
async function acceptAll(): Promise<void> {
  for await (const connection of listener) echo(connection).catch(() => {})
}
acceptAll().catch(console.error)

const pool = createPool({ name: 'echo', builder: tcp(), endpoints: [listener.address], max: 4 })
instrumentation.observePool('echo', pool)

for (;;) {
  await pool.use(async (connection) => {
    await connection.send(Buffer.alloc(1000))
    await connection.recv()
  })
  // One that comes and goes, and one that nobody answers: there is something to see in every panel.
  const visitor = await connect(tcp(), listener.address)
  await visitor.close()
  await connect(tcp(), { host: '127.0.0.1', port: 1 }).catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
