// The command line of the smoke run.

import { parseArgs } from 'node:util'
import type { Peer } from '../peers/peer.ts'

export const usage: string = [
  'pnpm interop:smoke [--peers a,b] [--timeout SECONDS] [--keep] [--reference]',
  '',
  'Installs stacks that were not written here and exchanges files with them over HTTP/3.',
  '  --peers a,b        only these (default: all)',
  '  --timeout SECONDS  for each client (default 60)',
  '  --keep             keep the logs of a run without failures too',
  '  --reference        the peers among themselves instead, without quicwire: checks this program, not the stack',
].join('\n')

export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

export interface SmokeOptions {
  readonly peers: readonly Peer[]
  readonly timeoutMs: number
  readonly keep: boolean
  readonly reference: boolean
  readonly help: boolean
}

export function parseSmokeArguments(argv: readonly string[], known: readonly Peer[]): SmokeOptions {
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
