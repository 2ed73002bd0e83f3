// Asks a server whether it is there, as the simulator does: an Initial of version "WAIT" without connection IDs, answered with Version Negotiation.

import { setTimeout as delay } from 'node:timers/promises'
import { isVersionNegotiation } from '../process/quic-port.ts'

const INTERVAL_MS = 100

export class ServerProbe {
  private readonly send: (datagram: Uint8Array) => void
  private answered: boolean

  constructor(send: (datagram: Uint8Array) => void) {
    this.send = send
    this.answered = false
  }

  /** What came back from the server. */
  receive(datagram: Uint8Array): void {
    this.answered ||= isVersionNegotiation(datagram)
  }

  /** False when no answer came in that time. */
  async run(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    while (performance.now() < deadline) {
      this.send(probe())
      await delay(INTERVAL_MS)
      if (this.answered) return true
    }
    return false
  }
}

function probe(): Uint8Array {
  const datagram = new Uint8Array(1207)
  datagram.set([0xc0, ...Buffer.from('WAIT')])
  return datagram
}
