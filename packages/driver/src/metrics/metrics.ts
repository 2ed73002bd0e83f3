// What an operator counts, over all connections of a listener or a client. Names and labels are those dashboards for the model know.
// Nothing here is called per packet or per frame; per connection and per incident only.

export type CounterName =
  /** Connections accepted. */
  | 'accepted_initial_packet_count'
  /** Clients turned away before anything was kept of them. Label: `accept queue overflow`, `policy retry`, `policy refuse`, `policy ignore`, `policy failed`. */
  | 'rejected_initial_packet_count'
  /** Datagrams dropped because they came faster than they were processed. */
  | 'udp_drop_count'
  /** Label: `cryptofail`, `timeout`, `disconnect`, `other`. */
  | 'failed_handshakes'
  /** CONNECTION_CLOSE with an application code, sent and received. Label: the code's registered name, `H3_GREASE` or `H3_UNKNOWN`. */
  | 'local_h3_conn_close_error_count'
  | 'peer_h3_conn_close_error_count'
  /** CONNECTION_CLOSE with a transport code. Label: the code's registered name, `CRYPTO_ERROR` or `QUIC_UNKNOWN`. */
  | 'local_quic_conn_close_error_count'
  | 'peer_quic_conn_close_error_count'

export type GaugeName =
  /** Connections with memory, closing ones included. */
  | 'connections_in_memory'
  /** Estimated bandwidth of all connections together, bits per second. */
  | 'utilized_bandwidth'

export type HistogramName =
  /** Label: `handshakeprotocol`. Seconds. */
  | 'handshake_time_seconds'
  /** The most the estimator saw on a connection, when it ended. Megabits per second. */
  | 'max_bandwidth_mbps'
  /** Percent. */
  | 'max_loss_pct'

/** Implementations must not throw and should be quick. */
export interface Metrics {
  /** Adds `by`, default 1. */
  count(name: CounterName, label?: string, by?: number): void
  /** Moves a gauge by `change`. */
  gauge(name: GaugeName, change: number): void
  observe(name: HistogramName, value: number, label?: string): void
}

/** Counts nothing: the default. */
export const noMetrics: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
}
