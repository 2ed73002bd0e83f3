import type { EcnCodepoint, SimulatedNode, SimulatedPath, SimulatedTransmit } from '../../src/testing/index.ts'

export interface Arrival {
  readonly time: number
  readonly bytes: Uint8Array
  readonly from: string
  readonly ecn: EcnCodepoint
}

/** Keeps what arrives; never sends. */
export class Sink implements SimulatedNode {
  readonly arrivals: Arrival[] = []

  receive(bytes: Uint8Array, path: SimulatedPath, time: number, ecn: EcnCodepoint): void {
    this.arrivals.push({ time, bytes, from: path.remote, ecn })
  }
  onTimeout(): void {}
  transmit(_out: SimulatedTransmit, _now: number): boolean {
    return false
  }
  nextTimeout(): number {
    return Infinity
  }
  numbers(): number[] {
    return this.arrivals.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
  }
}

/** Sends `count` numbered datagrams of `size` bytes, one every `interval` ms. */
export class Metronome extends Sink {
  private sent = 0
  private nextAt = 1000
  private readonly to: SimulatedPath
  private readonly count: number
  private readonly interval: number
  private readonly size: number
  private readonly ecn: EcnCodepoint
  constructor(to: SimulatedPath, count: number, interval: number, size: number = 100, ecn: EcnCodepoint = 0) {
    super()
    this.to = to
    this.count = count
    this.interval = interval
    this.size = size
    this.ecn = ecn
  }
  override transmit(out: SimulatedTransmit, now: number): boolean {
    if (this.sent >= this.count || now < this.nextAt) return false
    new DataView(out.buffer.buffer).setUint32(0, this.sent++)
    this.nextAt += this.interval
    out.length = this.size
    out.path = this.to
    out.ecn = this.ecn
    return true
  }
  override nextTimeout(): number {
    return this.sent < this.count ? this.nextAt : Infinity
  }
}

/** Answers every datagram with the same bytes, to where it came from. */
export class Echo extends Sink {
  private readonly answers: { bytes: Uint8Array; path: SimulatedPath }[] = []
  override receive(bytes: Uint8Array, path: SimulatedPath, time: number, ecn: EcnCodepoint): void {
    super.receive(bytes, path, time, ecn)
    this.answers.push({ bytes, path })
  }
  override transmit(out: SimulatedTransmit): boolean {
    const answer = this.answers.pop()
    if (answer === undefined) return false
    out.buffer.set(answer.bytes)
    out.length = answer.bytes.length
    out.path = answer.path
    return true
  }
}

/** Stop and wait: repeats number n every 50 ms until it is echoed, then goes to n + 1. */
export class StopAndWait extends Sink {
  acknowledged = 0
  private sendAt = 0
  private readonly to: SimulatedPath
  private readonly count: number
  constructor(to: SimulatedPath, count: number) {
    super()
    this.to = to
    this.count = count
  }
  override receive(bytes: Uint8Array): void {
    if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) !== this.acknowledged) return
    this.acknowledged++
    this.sendAt = 0
  }
  override transmit(out: SimulatedTransmit, now: number): boolean {
    if (this.acknowledged >= this.count || now < this.sendAt) return false
    new DataView(out.buffer.buffer).setUint32(0, this.acknowledged)
    out.length = 4
    out.path = this.to
    this.sendAt = now + 50
    return true
  }
  override nextTimeout(): number {
    return this.acknowledged < this.count ? this.sendAt : Infinity
  }
}
