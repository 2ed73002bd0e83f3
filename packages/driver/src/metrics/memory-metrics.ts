// Metrics in memory, to be read by the process itself: tests, a status page, and the Prometheus text of prometheus-text.ts.

import type { CounterName, GaugeName, HistogramName, Metrics } from './metrics.ts'

/** Upper bounds of the buckets; a last one takes the rest. Seconds. */
const HANDSHAKE_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const BUCKETS: Readonly<Record<HistogramName, readonly number[]>> = {
  handshake_time_seconds: HANDSHAKE_BUCKETS,
  max_bandwidth_mbps: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
  max_loss_pct: [0.1, 0.5, 1, 2, 5, 10, 20, 50, 100],
}

/** Labels come from a fixed list here, but nothing in this file knows that: beyond this many of one name the rest are counted together. */
const MAX_LABELS = 256
const OVERFLOW_LABEL = 'other'

export interface Histogram {
  readonly bounds: readonly number[]
  /** Of values up to the bound of the same index; the last of values above all bounds. Not cumulative. */
  readonly counts: number[]
  sum: number
  count: number
}

export class MemoryMetrics implements Metrics {
  private readonly counters: Map<CounterName, Map<string, number>>
  private readonly gauges: Map<GaugeName, number>
  private readonly histograms: Map<HistogramName, Map<string, Histogram>>

  constructor() {
    this.counters = new Map()
    this.gauges = new Map()
    this.histograms = new Map()
  }

  count(name: CounterName, label: string = '', by: number = 1): void {
    const byLabel = labelsOf(this.counters, name)
    const key = bounded(byLabel, label)
    byLabel.set(key, (byLabel.get(key) ?? 0) + by)
  }

  gauge(name: GaugeName, change: number): void {
    this.gauges.set(name, (this.gauges.get(name) ?? 0) + change)
  }

  observe(name: HistogramName, value: number, label: string = ''): void {
    const byLabel = labelsOf(this.histograms, name)
    const key = bounded(byLabel, label)
    let histogram = byLabel.get(key)
    if (histogram === undefined) {
      const bounds = BUCKETS[name]
      histogram = { bounds, counts: new Array<number>(bounds.length + 1).fill(0), sum: 0, count: 0 }
      byLabel.set(key, histogram)
    }
    let bucket = 0
    while (bucket < histogram.bounds.length && value > histogram.bounds[bucket]!) bucket++
    histogram.counts[bucket]!++
    histogram.sum += value
    histogram.count++
  }

  /** One label's count, or without a label the sum over all of them. */
  counter(name: CounterName, label?: string): number {
    const byLabel = this.counters.get(name)
    if (byLabel === undefined) return 0
    if (label !== undefined) return byLabel.get(label) ?? 0
    let sum = 0
    for (const value of byLabel.values()) sum += value
    return sum
  }

  gaugeValue(name: GaugeName): number {
    return this.gauges.get(name) ?? 0
  }

  /** Null before the first observation. */
  histogram(name: HistogramName, label: string = ''): Readonly<Histogram> | null {
    return this.histograms.get(name)?.get(label) ?? null
  }

  allCounters(): ReadonlyMap<CounterName, ReadonlyMap<string, number>> {
    return this.counters
  }

  allGauges(): ReadonlyMap<GaugeName, number> {
    return this.gauges
  }

  allHistograms(): ReadonlyMap<HistogramName, ReadonlyMap<string, Readonly<Histogram>>> {
    return this.histograms
  }
}

function labelsOf<N, V>(all: Map<N, Map<string, V>>, name: N): Map<string, V> {
  let byLabel = all.get(name)
  if (byLabel === undefined) {
    byLabel = new Map()
    all.set(name, byLabel)
  }
  return byLabel
}

function bounded(byLabel: ReadonlyMap<string, unknown>, label: string): string {
  return byLabel.has(label) || byLabel.size < MAX_LABELS ? label : OVERFLOW_LABEL
}
