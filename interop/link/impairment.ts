// What a scenario does to packets at the receiving end of the line, one object a direction where the rules count.

import type { SeededRandom } from '@quicwire/quic/testing'
import type { Role } from '../runner/endpoint.ts'
import { isVersionNegotiation } from '../process/quic-port.ts'
import type { IpPacket } from './ip-packet.ts'
import { Nat, type NatBinding } from './nat.ts'
import type { RateRule, Scenario } from './scenario.ts'

/** At `at` ms since the start of the scenario; may change the packet. */
export type Impair = (packet: IpPacket, at: number) => 'pass' | 'drop' | 'changed'

/** The bytes of a payload that may change: they are often the QUIC header's. */
const CORRUPTIBLE = 51

export interface ImpairmentOptions {
  readonly corruption: 'drop' | 'deliver'
  readonly random: SeededRandom
  readonly onBinding: (binding: NatBinding) => void
}

/** For packets towards the server and towards the client. */
export function impairmentsOf({ impairment }: Scenario, options: ImpairmentOptions): Readonly<Record<Role, Impair>> {
  const each = (make: (towards: Role) => Impair): Readonly<Record<Role, Impair>> => ({ server: make('server'), client: make('client') })
  switch (impairment.kind) {
    case 'none':
    case 'ecn-mark':
      return each(() => () => 'pass')
    case 'rate':
      return each((towards) => {
        const random = options.random.fork(`towards ${towards}`)
        return impairment.effect === 'drop' ? dropping(impairment.towards[towards], random) : corrupting(impairment.towards[towards], random, options.corruption)
      })
    case 'drop-list':
      return each((towards) => listed(impairment.towards[towards]))
    case 'blackhole': {
      const period = impairment.onMs + impairment.offMs
      const within = (at: number): boolean => at >= 0 && at < period * impairment.repeat && at % period >= impairment.onMs
      return each((towards) => (_packet, at) => (impairment.towards[towards] && within(at) ? 'drop' : 'pass'))
    }
    case 'rebind': {
      const nat = new Nat(impairment, options.random.fork('nat'), options.onBinding)
      return {
        server: (packet, at) => (nat.towardsServer(packet, at) ? 'pass' : 'drop'),
        client: (packet, at) => (nat.towardsClient(packet, at) ? 'pass' : 'drop'),
      }
    }
  }
}

/** Draws with a rate, but never more than `burst` hits in a row. */
function draw({ percent, burst }: RateRule, random: SeededRandom): { hit(): boolean; miss(): void } {
  let inRow = 0
  return {
    hit: () => {
      const hit = inRow < burst && random.below(100) < percent
      inRow = hit ? inRow + 1 : 0
      return hit
    },
    miss: () => void (inRow = 0),
  }
}

function dropping(rule: RateRule, random: SeededRandom): Impair {
  const chance = draw(rule, random)
  return (packet) => (packet.isUdp && chance.hit() ? 'drop' : 'pass')
}

function corrupting(rule: RateRule, random: SeededRandom, corruption: 'drop' | 'deliver'): Impair {
  const chance = draw(rule, random)
  return (packet) => {
    if (!packet.isUdp) return 'pass'
    const { payload } = packet
    if (payload.length === 0 || isVersionNegotiation(payload)) {
      chance.miss()
      return 'pass'
    }
    if (!chance.hit()) return 'pass'
    if (corruption === 'drop') return 'drop'
    const index = random.below(Math.min(CORRUPTIBLE, payload.length))
    packet.replacePayloadByte(index, (payload[index]! + 1 + random.below(255)) & 0xff)
    return 'changed'
  }
}

function listed(numbers: ReadonlySet<number>): Impair {
  let count = 0
  return (packet) => (packet.isUdp && numbers.has(++count) ? 'drop' : 'pass')
}
