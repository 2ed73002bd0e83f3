// What one seed stands for: a path, what happens to it meanwhile, both ends' settings, and what they send each other. Pure
// data, drawn from the seed alone: the same seed and scenario give the same plan everywhere.

import type { LinkConditions } from '../link.ts'
import { blackhole } from '../loss-model.ts'
import { SeededRandom } from '../seeded-random.ts'

/** Virtual time at which a simulation starts, in ms. */
export const SIMULATION_START = 1000

export const SIMULATION_SCENARIOS = [
  'clean', 'lossy', 'reordering', 'duplicating', 'corrupting', 'blackhole', 'bandwidth', 'rebinding', 'mtu', 'ecn', 'resets', 'mixed',
] as const
export type SimulationScenario = (typeof SIMULATION_SCENARIOS)[number]

/** A stream that one side opens. Sizes in bytes. */
export interface PlannedStream {
  readonly bidirectional: boolean
  readonly size: number
  /** Sent back on the same stream, when it is bidirectional. */
  readonly replySize: number
  /** The opener resets it, once everything is written, but for so many bytes (RESET_STREAM_AT); -1: it ends with FIN. */
  readonly resetAt: number
  /** Milliseconds that the reader lets pass before it reads what has come; 0: none. */
  readonly readPause: number
}

export interface PlannedSide {
  readonly streams: readonly PlannedStream[]
  /** Sizes of the DATAGRAM frames sent once the connection is established. */
  readonly datagrams: readonly number[]
  readonly streamWindow: number
  readonly connectionWindow: number
  readonly sendBuffer: number
  readonly maxStreams: number
  readonly controller: 'cubic' | 'newReno' | 'bbr'
  readonly ecnCapable: boolean
  readonly mtuDiscovery: boolean
}

/** Something that happens at a time, in virtual ms. */
export type Incident = { readonly time: number } & (
  | { readonly kind: 'change'; readonly direction: 'up' | 'down' | 'both'; readonly conditions: Partial<LinkConditions> }
  | { readonly kind: 'rebind' }
  | { readonly kind: 'updateKeys'; readonly side: 'client' | 'server' }
  | { readonly kind: 'ping'; readonly side: 'client' | 'server' }
)

export interface SimulationPlan {
  readonly seed: number
  readonly scenario: SimulationScenario
  readonly up: Partial<LinkConditions>
  readonly down: Partial<LinkConditions>
  readonly incidents: readonly Incident[]
  readonly client: PlannedSide
  readonly server: PlannedSide
}

/** The plan of a seed; without a scenario the seed picks one. */
export function planSimulation(seed: number, scenario?: SimulationScenario): SimulationPlan {
  const random = new SeededRandom(seed).fork('plan')
  const name = scenario ?? SIMULATION_SCENARIOS[seed % SIMULATION_SCENARIOS.length]!
  const path = basePath(random)
  const troubles = name === 'mixed' ? SIMULATION_SCENARIOS.filter((other) => other !== 'mixed' && random.chance(0.4)) : [name]
  const incidents: Incident[] = []
  const up: Draft = { ...path }
  const down: Draft = { ...path }
  for (const trouble of troubles) {
    TROUBLES[trouble]?.(random, up, incidents, 'up')
    TROUBLES[trouble]?.(random, down, incidents, 'down')
    HAPPENINGS[trouble]?.(random, incidents)
  }
  if (random.chance(0.3)) incidents.push({ kind: 'updateKeys', side: random.chance(0.5) ? 'client' : 'server', time: someTime(random) })
  if (random.chance(0.3)) incidents.push({ kind: 'ping', side: random.chance(0.5) ? 'client' : 'server', time: someTime(random) })
  const ecn = troubles.includes('ecn') || random.chance(0.3)
  const resets = troubles.includes('resets')
  return { seed, scenario: name, up, down, incidents, client: side(random, ecn, resets), server: side(random, ecn, resets) }
}

type Draft = { -readonly [K in keyof LinkConditions]?: LinkConditions[K] }
type Direction = 'up' | 'down'

function basePath(random: SeededRandom): Partial<LinkConditions> {
  const bandwidth = pick(random, [1e6, 3e6, 10e6, 100e6, Infinity])
  return { delay: 1 + random.below(80), jitter: random.chance(0.3) ? random.below(20) : 0, bandwidth, queue: 20 + random.below(200) }
}

/** What a path is like all the time. */
const TROUBLES: Partial<Record<SimulationScenario, (random: SeededRandom, path: Draft, incidents: Incident[], direction: Direction) => void>> = {
  lossy: (random, path) => {
    path.loss = random.chance(0.5) ? 0.3 : random.fraction() * 0.3
  },
  reordering: (random, path) => {
    path.reorder = random.fraction() * 0.5
    path.reorderDelay = 1 + random.below(200)
  },
  duplicating: (random, path) => {
    path.duplicate = random.fraction()
  },
  corrupting: (random, path) => {
    path.corrupt = random.fraction() * 0.2
    if (random.chance(0.3)) path.corruptWithin = 30
  },
  mtu: (random, path, incidents, direction) => {
    // Never below what QUIC needs (RFC 9000 §14).
    path.mtu = 1200 + random.below(300)
    incidents.push({ kind: 'change', direction, conditions: { mtu: 1200 + random.below(300) }, time: someTime(random) })
  },
  ecn: (random, path, incidents, direction) => {
    path.ecnMark = random.fraction() * 0.2
    path.ecnBleach = random.chance(0.3)
    incidents.push({ kind: 'change', direction, conditions: { ecnBleach: random.chance(0.5) }, time: someTime(random) })
  },
}

/** What happens to it at some time. */
const HAPPENINGS: Partial<Record<SimulationScenario, (random: SeededRandom, incidents: Incident[]) => void>> = {
  blackhole: (random, incidents) => {
    const time = someTime(random)
    const direction = pick(random, ['up', 'down', 'both'] as const)
    incidents.push({ kind: 'change', direction, conditions: { loss: blackhole(time, time + 5000) }, time })
  },
  bandwidth: (random, incidents) => {
    for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
      const conditions = { bandwidth: pick(random, [300e3, 1e6, 5e6, 50e6]), delay: 1 + random.below(200) }
      incidents.push({ kind: 'change', direction: pick(random, ['up', 'down', 'both'] as const), conditions, time: someTime(random) })
    }
  },
  rebinding: (random, incidents) => {
    for (let changes = 1 + random.below(3); changes > 0; changes -= 1) incidents.push({ kind: 'rebind', time: someTime(random) })
  },
}

function side(random: SeededRandom, ecnCapable: boolean, resets: boolean): PlannedSide {
  const streams: PlannedStream[] = []
  for (let count = random.below(6); count > 0; count -= 1) {
    const size = someSize(random)
    streams.push({
      bidirectional: random.chance(0.6),
      size,
      replySize: someSize(random),
      resetAt: resets && random.chance(0.6) ? random.below(size + 1) : -1,
      readPause: random.chance(0.2) ? 1 + random.below(50) : 0,
    })
  }
  const datagrams: number[] = []
  if (random.chance(0.3)) for (let count = random.below(20); count > 0; count -= 1) datagrams.push(random.below(1100))
  const tight = random.chance(0.4)
  return {
    streams,
    datagrams,
    streamWindow: tight ? 500 + random.below(10_000) : 256 * 1024,
    connectionWindow: tight ? 1000 + random.below(20_000) : 1024 * 1024,
    sendBuffer: random.chance(0.3) ? 1000 + random.below(10_000) : 256 * 1024,
    maxStreams: random.chance(0.3) ? 1 + random.below(2) : 100,
    controller: pick(random, ['cubic', 'newReno', 'bbr'] as const),
    ecnCapable,
    mtuDiscovery: random.chance(0.5),
  }
}

/** During the handshake, or during the transfer of a plan's size. */
function someTime(random: SeededRandom): number {
  return SIMULATION_START + random.below(random.chance(0.3) ? 200 : 1500)
}

/** Few bytes most of the time, now and then many. */
function someSize(random: SeededRandom): number {
  return Math.floor(2 ** (random.fraction() * 16)) - 1
}

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!
}
