// What a simulated network can carry: anything with the verbs of a connection. A Connection is a node as it is; an
// Endpoint with its connections becomes one through EndpointNode.

import type { EcnCodepoint } from './link.ts'

/** The address pair of a datagram as the receiving or sending node sees it. One object per pair. */
export interface SimulatedPath {
  readonly local: string
  readonly remote: string
}

/** What a node fills in transmit(); the connection's Transmit has this shape. */
export interface SimulatedTransmit {
  buffer: Uint8Array
  /** Bytes of `buffer` to send. */
  length: number
  path: SimulatedPath | null
  /** An ECN codepoint. */
  ecn: number
}

/** The verbs of DESIGN rule 2. */
export interface SimulatedNode {
  /** Takes ownership of the bytes. */
  receive(datagram: Uint8Array, path: SimulatedPath, now: number, ecn: EcnCodepoint): void
  onTimeout(now: number): void
  /** False: nothing more to send now. */
  transmit(out: SimulatedTransmit, now: number): boolean
  /** ms of virtual time, Infinity for none. */
  nextTimeout(): number
  /** The application above: called after every input and before transmit(). Polls events, reads, writes. */
  act?(now: number): void
}

export class TransmitSlot implements SimulatedTransmit {
  buffer: Uint8Array
  length: number
  path: SimulatedPath | null
  ecn: number

  constructor() {
    this.buffer = new Uint8Array(65_535)
    this.length = 0
    this.path = null
    this.ecn = 0
  }
}
