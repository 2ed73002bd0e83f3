// A scenario in the words of quic-network-simulator: `NAME --delay=15ms --bandwidth=10Mbps --queue=25 …`, and one of our own, `ecn-mark`.

import type { Role } from '../runner/endpoint.ts'

export interface Scenario {
  readonly name: string
  readonly delayMs: number
  readonly bitsPerSecond: number
  /** Packets that wait; two more are with the device. */
  readonly queue: number
  readonly impairment: Impairment
}

/** Of the direction towards that role. */
type Directions<T> = Readonly<Record<Role, T>>

export type Impairment =
  | { readonly kind: 'none' }
  | { readonly kind: 'rate'; readonly effect: 'drop' | 'corrupt'; readonly towards: Directions<RateRule> }
  /** Numbers of UDP packets, from 1. */
  | { readonly kind: 'drop-list'; readonly towards: Directions<ReadonlySet<number>> }
  | { readonly kind: 'blackhole'; readonly onMs: number; readonly offMs: number; readonly repeat: number; readonly towards: Directions<boolean> }
  /** `everyMs` undefined: once. */
  | { readonly kind: 'rebind'; readonly firstMs: number; readonly everyMs: number | undefined; readonly address: boolean }
  /** ECN-capable packets are marked when more than `above` wait before them. */
  | { readonly kind: 'ecn-mark'; readonly above: number }

export interface RateRule {
  readonly percent: number
  /** Most in a row. */
  readonly burst: number
}

export class ScenarioError extends Error {
  override readonly name: string = 'ScenarioError'
  readonly code: string = 'ERR_INTEROP_SCENARIO'
}

/** Throws ScenarioError. */
export function parseScenario(command: string): Scenario {
  const [name = '', ...words] = command.trim().split(/\s+/)
  const impairment = IMPAIRMENTS[name]
  if (impairment === undefined) throw new ScenarioError(`there is no scenario '${name}'; known: ${Object.keys(IMPAIRMENTS).join(', ')}`)
  const values = new Values(words)
  const scenario: Scenario = {
    name,
    delayMs: duration(values.required('delay'), 'delay'),
    bitsPerSecond: bandwidth(values.required('bandwidth')),
    queue: count(values.required('queue'), 'queue', 1),
    impairment: impairment(values),
  }
  values.refuseOthers()
  return scenario
}

const IMPAIRMENTS: Readonly<Record<string, (values: Values) => Impairment>> = {
  'simple-p2p': () => ({ kind: 'none' }),
  'drop-rate': (values) => ({ kind: 'rate', effect: 'drop', towards: { server: rate(values, 'server'), client: rate(values, 'client') } }),
  'corrupt-rate': (values) => ({ kind: 'rate', effect: 'corrupt', towards: { server: rate(values, 'server'), client: rate(values, 'client') } }),
  droplist: (values) => ({ kind: 'drop-list', towards: { server: numbers(values, 'drops_to_server'), client: numbers(values, 'drops_to_client') } }),
  blackhole: (values) => ({
    kind: 'blackhole',
    onMs: duration(values.required('on'), 'on'),
    offMs: duration(values.required('off'), 'off'),
    repeat: count(values.optional('repeat') ?? '1', 'repeat', 1),
    towards: directions(values.optional('direction') ?? 'both'),
  }),
  rebind: (values) => {
    const firstMs = duration(values.required('first-rebind'), 'first-rebind')
    if (firstMs === 0) throw new ScenarioError('--first-rebind is a time after the start')
    const everyMs = duration(values.optional('rebind-freq') ?? '0s', 'rebind-freq')
    return { kind: 'rebind', firstMs, everyMs: everyMs === 0 ? undefined : everyMs, address: flag(values.optional('rebind-addr'), 'rebind-addr') }
  },
  'ecn-mark': (values) => ({ kind: 'ecn-mark', above: count(values.required('mark_above'), 'mark_above', 0) }),
}

/** `--name=value`, each once; a name alone has the value ''. */
class Values {
  private readonly left: Map<string, string>

  constructor(words: readonly string[]) {
    this.left = new Map()
    for (const word of words) {
      const option = /^--([^=]+)(?:=(.*))?$/.exec(word)
      if (option === null) throw new ScenarioError(`'${word}' is no --NAME=VALUE`)
      const [, name = '', value = ''] = option
      if (this.left.has(name)) throw new ScenarioError(`--${name} is there twice`)
      this.left.set(name, value)
    }
  }

  required(name: string): string {
    const value = this.optional(name)
    if (value === undefined) throw new ScenarioError(`--${name} is missing`)
    return value
  }

  optional(name: string): string | undefined {
    const value = this.left.get(name)
    this.left.delete(name)
    return value
  }

  refuseOthers(): void {
    for (const name of this.left.keys()) throw new ScenarioError(`this scenario has no --${name}`)
  }
}

const MILLISECONDS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, min: 60_000 }
const BITS: Readonly<Record<string, number>> = { bps: 1, kbps: 1e3, Kbps: 1e3, Mbps: 1e6, Gbps: 1e9 }

function duration(text: string, name: string): number {
  return quantity(text, MILLISECONDS) ?? fail(`--${name}=${text} is no time such as 15ms or 1s`)
}

function bandwidth(text: string): number {
  const bits = quantity(text, BITS)
  return bits === undefined || bits === 0 ? fail(`--bandwidth=${text} is no rate such as 10Mbps`) : bits
}

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text)
  const unit = match === null ? undefined : units[match[2]!]
  return unit === undefined ? undefined : Number(match![1]) * unit
}

function count(text: string, name: string, least: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1
  return value < least ? fail(`--${name}=${text} is no whole number from ${least}`) : value
}

function rate(values: Values, role: Role): RateRule {
  const name = `rate_to_${role}`
  const percent = count(values.required(name), name, 0)
  if (percent > 100) fail(`--${name}=${percent} is more than 100 %`)
  const burst = values.optional(`burst_to_${role}`)
  return { percent, burst: burst === undefined ? Infinity : count(burst, `burst_to_${role}`, 1) }
}

function numbers(values: Values, name: string): ReadonlySet<number> {
  const list = values.optional(name) ?? ''
  return new Set(list.split(',').filter((text) => text !== '').map((text) => count(text, name, 1)))
}

function directions(text: string): Directions<boolean> {
  if (text !== 'both' && text !== 'toclient' && text !== 'toserver') fail(`--direction=${text} is none of both, toclient, toserver`)
  return { client: text !== 'toserver', server: text !== 'toclient' }
}

function flag(text: string | undefined, name: string): boolean {
  if (text === undefined || text === 'false' || text === '0') return false
  return text === '' || text === 'true' || text === '1' ? true : fail(`--${name}=${text} is neither true nor false`)
}

function fail(message: string): never {
  throw new ScenarioError(message)
}
