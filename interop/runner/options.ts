// The command line of the runner.

import { parseArgs } from 'node:util'
import { UsageError } from '../process/arguments.ts'
import type { Role } from './endpoint.ts'

export const usage = `pnpm interop [options]

The test cases of quic-interop-runner without containers: our client with each peer's server, each peer's client with our server, and ours
with itself.

  --peers a,b         only these; 'none': ours with itself alone (default: all)
  --cases a,b         only these, by name or abbreviation (default: all)
  --roles a,b         which sides of ours: client, server (default: both)
  --reference         each peer with itself too, for the figures of the measurements
  --backend tun|relay tun: network namespaces, needs root; relay: loopback, any user (default: tun where it can be)
  --seed N            of names, contents and losses (default: random)
  --corruption drop|deliver  what becomes of packets that a scenario corrupts (default: drop)
  --repetitions N     of each measurement (default: as the case says)
  --node PATH         the Node that runs our endpoint (default: Node 26 from npm)
  --keep              keep the logs of cells that did not fail too
  --json FILE         results, as the runner writes them and with details
  --markdown FILE     replace the matrix in this document
  --from a.json,b.json  run nothing: the matrix is made from these results

Exit status: 0, or 1 when a cell with our side in it failed and it is not known to be the peer's own fault.`

export interface InteropOptions {
  /** Null: all. */
  readonly peers: readonly string[] | null
  readonly cases: readonly string[] | null
  readonly roles: readonly Role[]
  readonly reference: boolean
  /** Null: what the machine can do. */
  readonly backend: 'tun' | 'relay' | null
  readonly seed: number | null
  readonly corruption: 'drop' | 'deliver'
  readonly repetitions: number | null
  readonly node: string | null
  readonly keep: boolean
  readonly json: string | null
  readonly markdown: string | null
  readonly from: readonly string[] | null
  readonly help: boolean
}

/** Throws UsageError. */
export function interopOptions(argv: readonly string[]): InteropOptions {
  const values = parse(argv)
  return {
    peers: values.peers === 'none' ? [] : list(values.peers),
    cases: list(values.cases),
    roles: (list(values.roles) ?? ['client', 'server']).map((role) => oneOf('--roles', role, ['client', 'server'])),
    reference: values.reference ?? false,
    backend: values.backend === undefined ? null : oneOf<'tun' | 'relay'>('--backend', values.backend, ['tun', 'relay']),
    seed: number('--seed', values.seed, 0, 2 ** 32 - 1),
    corruption: oneOf('--corruption', values.corruption ?? 'drop', ['drop', 'deliver']),
    repetitions: number('--repetitions', values.repetitions, 1, 100),
    node: values.node ?? null,
    keep: values.keep ?? false,
    json: values.json ?? null,
    markdown: values.markdown ?? null,
    from: list(values.from),
    help: values.help ?? false,
  }
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      // pnpm hands its own separator on.
      args: argv[0] === '--' ? argv.slice(1) : [...argv],
      options: {
        peers: text,
        cases: text,
        roles: text,
        reference: flag,
        backend: text,
        seed: text,
        corruption: text,
        repetitions: text,
        node: text,
        keep: flag,
        json: text,
        markdown: text,
        from: text,
        help: { ...flag, short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function list(text: string | undefined): string[] | null {
  return text === undefined ? null : text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const name = names.find((candidate) => candidate === given)
  if (name === undefined) throw new UsageError(`${option}: ${names.join(' or ')}, not ${given}`)
  return name
}

function number(option: string, text: string | undefined, least: number, most: number): number | null {
  if (text === undefined) return null
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) throw new UsageError(`${option} takes a whole number from ${least} to ${most}`)
  return value
}

/** Those of `known` that `names` asks for, in the order of `known`. Throws UsageError for a name that is none of them. */
export function chosen<Item>(names: readonly string[] | null, known: readonly Item[], namesOf: (item: Item) => readonly string[], what: string): Item[] {
  if (names === null) return [...known]
  for (const name of names) {
    if (!known.some((item) => namesOf(item).includes(name))) {
      throw new UsageError(`there is no ${what} '${name}'; known: ${known.map((item) => namesOf(item)[0]).join(', ')}`)
    }
  }
  return known.filter((item) => namesOf(item).some((name) => names.includes(name)))
}
