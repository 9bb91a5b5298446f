/** What one side counts, and its measured window. */
import { readFileSync } from 'node:fs'
import { GCProfiler, getHeapStatistics } from 'node:v8'
import type { Histogram } from 'hdr-histogram-js'
import type { SideSample } from '../run/protocol.js'
import type { RunSpec } from '../spec.js'
import { LatenessProbe } from './lateness.js'

/** Settings of every latency histogram: nanoseconds, up to a minute, to three digits. */
const HISTOGRAM = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 60_000_000_000,
  numberOfSignificantValueDigits: 3 as const,
  useWebAssembly: false,
}

/** Counts payloads and latencies, and takes the sample of the window. */
export class Meter {
  /** Payloads ever. Increased by the traffic. */
  payloads = 0
  /** Whether the window is open; latencies outside of it are dropped. */
  recording = false
  #histogram: Histogram | undefined
  #encode: ((histogram: Histogram) => string) | undefined
  readonly #lateness: LatenessProbe | undefined
  readonly #collections: GCProfiler | undefined
  #since = { timeMs: 0, cpuMs: 0, payloads: 0, rss: 0, external: 0, pinned: 0, heap: 0 }

  constructor(spec: RunSpec) {
    if (spec.observe === 'heap') this.#collections = new GCProfiler()
    if (spec.observe === 'lateness') this.#lateness = new LatenessProbe()
  }

  /** For sides that measure latency: loading the histograms takes longer than all the rest of a worker. */
  async openHistogram(): Promise<void> {
    const { build, encodeIntoCompressedBase64 } = await import('hdr-histogram-js')
    this.#histogram = build(HISTOGRAM)
    this.#encode = encodeIntoCompressedBase64
  }

  /** Only after {@link openHistogram}. @param latencyMs from performance.now() */
  record(latencyMs: number): void {
    if (this.recording) this.#histogram?.recordValue(Math.max(1, Math.round(latencyMs * 1e6)))
  }

  /** The window opens. */
  begin(): void {
    this.#collections?.start()
    this.#lateness?.start()
    this.recording = true
    this.#since = this.#now()
  }

  /** The window closes. */
  end(): SideSample {
    const now = this.#now()
    const since = this.#since
    this.recording = false
    return {
      elapsedMs: now.timeMs - since.timeMs,
      cpuMs: now.cpuMs - since.cpuMs,
      payloads: now.payloads - since.payloads,
      rssGrowthBytes: now.rss - since.rss,
      externalGrowthBytes: now.external - since.external,
      pinnedGrowthBytes: now.pinned - since.pinned,
      heapAllocatedBytes: this.#collections && now.heap - since.heap + collected(this.#collections),
      latency:
        this.#histogram && this.#histogram.totalCount > 0 ? this.#encode?.(this.#histogram) : undefined,
      lateness: this.#lateness?.stop(),
    }
  }

  #now() {
    const { user, system } = process.cpuUsage()
    const { rss, external } = process.memoryUsage()
    return {
      timeMs: performance.now(),
      cpuMs: (user + system) / 1000,
      payloads: this.payloads,
      rss,
      external,
      pinned: pinnedBytes(),
      heap: getHeapStatistics().used_heap_size,
    }
  }
}

/** Memory that devices hold in place (VmPin, proc_pid_status(5)); 0 where the kernel doesn't say. */
function pinnedBytes(): number {
  try {
    const [, kibibytes = '0'] = /^VmPin:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return Number(kibibytes) * 1024
  } catch {
    return 0
  }
}

/** Heap bytes that the collections since its start freed: with what the heap grew, that is what was allocated. */
function collected(profiler: GCProfiler): number {
  return profiler
    .stop()
    .statistics.reduce(
      (sum, { beforeGC, afterGC }) =>
        sum + beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
      0,
    )
}
