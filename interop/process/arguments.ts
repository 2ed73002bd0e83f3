// The command line of the programs that run peers.

import { parseArgs } from 'node:util'
import type { Peer } from '../peers/peer.ts'

const OPTIONS: readonly string[] = [
  '  --peers a,b        only these (default: all)',
  '  --timeout SECONDS  for each client (default 60)',
  '  --keep             keep the logs of a run without failures too',
]

/** `more`: lines for options that only this program has. */
export function usageOf(program: string, purpose: string, more: readonly string[] = []): string {
  return [`pnpm ${program} [options]`, '', purpose, ...OPTIONS, ...more].join('\n')
}

export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

export interface RunOptions {
  readonly peers: readonly Peer[]
  readonly timeoutMs: number
  readonly keep: boolean
  /** The peers among themselves. */
  readonly reference: boolean
  readonly help: boolean
}

export function parseRunArguments(argv: readonly string[], known: readonly Peer[]): RunOptions {
  const { values } = parse(argv)
  const timeout = Number(values.timeout ?? '60')
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > 3600) throw new UsageError('--timeout takes whole seconds, 1 to 3600')
  return {
    peers: values.peers === undefined ? known : chosen(values.peers, known),
    timeoutMs: 1000 * timeout,
    keep: values.keep ?? false,
    reference: values.reference ?? false,
    help: values.help ?? false,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      // pnpm hands its own separator on.
      args: argv[0] === '--' ? argv.slice(1) : [...argv],
      options: {
        peers: { type: 'string' },
        timeout: { type: 'string' },
        keep: { type: 'boolean' },
        reference: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function chosen(list: string, known: readonly Peer[]): Peer[] {
  return list.split(',').map((name) => {
    const peer = known.find((candidate) => candidate.name === name.trim())
    if (peer === undefined) throw new UsageError(`there is no peer '${name}'; known: ${known.map((candidate) => candidate.name).join(', ')}`)
    return peer
  })
}
