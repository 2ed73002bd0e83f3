// Metrics in Prometheus' text format, version 0.0.4: what an HTTP handler answers to GET /metrics, with content type
// `text/plain; version=0.0.4`.

import { MemoryMetrics } from './memory-metrics.ts'
import type { CounterName, GaugeName, HistogramName } from './metrics.ts'

const HELP: Readonly<Record<CounterName | GaugeName | HistogramName, string>> = {
  accepted_initial_packet_count: 'Connections accepted',
  rejected_initial_packet_count: 'Clients turned away before anything was kept of them',
  udp_drop_count: 'Datagrams dropped because they came faster than they were processed',
  failed_handshakes: 'Handshakes that failed',
  local_h3_conn_close_error_count: 'CONNECTION_CLOSE with an application code sent',
  peer_h3_conn_close_error_count: 'CONNECTION_CLOSE with an application code received',
  local_quic_conn_close_error_count: 'CONNECTION_CLOSE with a transport code sent',
  peer_quic_conn_close_error_count: 'CONNECTION_CLOSE with a transport code received',
  connections_in_memory: 'Connections with memory, closing ones included',
  utilized_bandwidth: 'Estimated bandwidth of all connections together in bits per second',
  handshake_time_seconds: 'Time of the handshake',
  max_bandwidth_mbps: 'Largest bandwidth estimated on a connection in megabits per second',
  max_loss_pct: 'Largest share of packets lost on a connection in percent',
}

const LABEL: Partial<Readonly<Record<CounterName | HistogramName, string>>> = {
  rejected_initial_packet_count: 'reason',
  failed_handshakes: 'reason',
  local_h3_conn_close_error_count: 'error',
  peer_h3_conn_close_error_count: 'error',
  local_quic_conn_close_error_count: 'error',
  peer_quic_conn_close_error_count: 'error',
  handshake_time_seconds: 'stage',
}

export class PrometheusMetrics extends MemoryMetrics {
  private readonly prefix: string

  /** `prefix` goes before every name. Default `quicwire_`. Throws RangeError for one no metric name may begin with. */
  constructor(prefix: string = 'quicwire_') {
    super()
    if (!/^(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?$/.test(prefix)) throw new RangeError(`a metric name cannot begin with "${prefix}"`)
    this.prefix = prefix
  }

  /** Everything so far; ends with a line feed. */
  text(): string {
    const lines: string[] = []
    for (const [name, byLabel] of this.allCounters()) {
      this.head(lines, name, 'counter')
      for (const [label, value] of byLabel) lines.push(`${this.prefix}${name}${labels(name, label)} ${value}`)
    }
    for (const [name, value] of this.allGauges()) {
      this.head(lines, name, 'gauge')
      lines.push(`${this.prefix}${name} ${value}`)
    }
    for (const [name, byLabel] of this.allHistograms()) {
      this.head(lines, name, 'histogram')
      for (const [label, { bounds, counts, sum, count }] of byLabel) {
        let below = 0
        bounds.forEach((bound, i) => {
          below += counts[i]!
          lines.push(`${this.prefix}${name}_bucket${labels(name, label, String(bound))} ${below}`)
        })
        lines.push(`${this.prefix}${name}_bucket${labels(name, label, '+Inf')} ${count}`)
        lines.push(`${this.prefix}${name}_sum${labels(name, label)} ${sum}`, `${this.prefix}${name}_count${labels(name, label)} ${count}`)
      }
    }
    return lines.map((line) => `${line}\n`).join('')
  }

  private head(lines: string[], name: CounterName | GaugeName | HistogramName, type: string): void {
    lines.push(`# HELP ${this.prefix}${name} ${HELP[name]}`, `# TYPE ${this.prefix}${name} ${type}`)
  }
}

function labels(name: CounterName | HistogramName, value: string, bound: string | null = null): string {
  const parts: string[] = []
  const label = LABEL[name]
  if (label !== undefined) parts.push(`${label}="${escaped(value)}"`)
  if (bound !== null) parts.push(`le="${bound}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}
