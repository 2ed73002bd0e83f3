// How many frames a stream's channel holds in each direction before its producer waits.

/** Default capacity of the two channels of an HTTP stream, in frames. */
export const STREAM_CAPACITY = 16

/** Capacity of the datagram channels: each flow inbound, one shared per connection outbound. */
export const FLOW_CAPACITY = 2048

/**
 * The stream capacity in force when settings name none. QUICWIRE_STREAM_CAPACITY overrides it; test runs set it to 1, where every second
 * frame meets backpressure.
 */
export function defaultStreamCapacity(environment: Record<string, string | undefined> = process.env): number {
  const text = environment['QUICWIRE_STREAM_CAPACITY']
  if (text === undefined || text === '') return STREAM_CAPACITY
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 1 ? value : STREAM_CAPACITY
}
