// The network on the real clock, with its captures. A back end brings packets in and takes those that arrive.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '../runner/endpoint.ts'
import { DeadlineTimer, EARLY } from './deadline-timer.ts'
import type { IpPacket } from './ip-packet.ts'
import type { LinkOptions } from './link.ts'
import type { NatBinding } from './nat.ts'
import { Network } from './network.ts'
import { PcapWriter } from './pcap.ts'
import { parseScenario } from './scenario.ts'

/** performance.now() is 0 at this time. */
const originSecond = Math.floor(performance.timeOrigin / 1000)
const originRest = performance.timeOrigin - 1000 * originSecond

export class Emulator {
  /** What each role sees. */
  readonly captures: Readonly<Record<Role, string>>
  private readonly options: LinkOptions
  private readonly deliver: (to: Role, packet: IpPacket) => void
  private readonly network: Network
  private readonly timer: DeadlineTimer
  private writers: Readonly<Record<Role, PcapWriter>> | null
  private closed: boolean

  constructor(options: LinkOptions, deliver: (to: Role, packet: IpPacket) => void) {
    const { directory, seed, corruption } = options
    const scenario = parseScenario(options.scenario)
    mkdirSync(directory, { recursive: true })
    this.options = options
    this.deliver = deliver
    this.captures = { client: join(directory, 'trace_node_left.pcap'), server: join(directory, 'trace_node_right.pcap') }
    this.network = new Network({ scenario, seed, corruption, onBinding: (binding) => this.logBinding(binding) })
    this.timer = new DeadlineTimer(() => this.release())
    this.writers = null
    this.closed = false
  }

  /** Starts the captures, and with the client's next packet the scenario. */
  start(): void {
    if (this.writers !== null) return
    this.writers = { client: new PcapWriter(this.captures.client), server: new PcapWriter(this.captures.server) }
    this.network.start()
  }

  /** Takes a packet that a host has sent, with its bytes. */
  receive(from: Role, bytes: Uint8Array): void {
    if (this.closed) return
    const now = performance.now()
    if (this.network.receive(from, bytes, now)) this.capture(from, bytes, now)
    this.release()
  }

  /** Forgets what is under way; completes the captures. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.timer.set(null)
    this.start()
    await Promise.all(Object.values(this.writers!).map((writer) => writer.close()))
    const { scenario, seed, corruption, directory } = this.options
    const summary = { scenario, seed, corruption, towardsServer: this.network.counters('server'), towardsClient: this.network.counters('client') }
    writeFileSync(join(directory, 'link.json'), `${JSON.stringify(summary, null, 2)}\n`)
  }

  private release(): void {
    for (;;) {
      const now = performance.now()
      const arrival = this.network.poll(now + EARLY)
      if (arrival === null) break
      this.capture(arrival.to, arrival.packet.bytes, now)
      this.deliver(arrival.to, arrival.packet)
    }
    this.timer.set(this.network.nextTimeout())
  }

  private capture(at: Role, packet: Uint8Array, now: number): void {
    this.writers?.[at].write(packet, originSecond, originRest + now)
  }

  /** `time`: seconds since 1970, as in the captures. */
  private logBinding(binding: NatBinding): void {
    const time = originSecond + (originRest + this.network.startedAt + binding.atMs) / 1000
    appendFileSync(join(this.options.directory, 'nat.jsonl'), `${JSON.stringify({ time, ...binding })}\n`)
  }
}
