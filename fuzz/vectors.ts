// Corpora from test-vectors.

import { readFileSync } from 'node:fs'
import { fromHex } from '../packages/quic/src/base/bytes.ts'

function parsed(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../test-vectors/${path}`, import.meta.url), 'utf8'))
}

const TRACES = ['simple-1-rtt', 'resumed-0-rtt', 'hello-retry-request', 'client-authentication']

/** Handshake messages of RFC 8448, header included. */
export const rfc8448Messages: readonly Uint8Array[] = TRACES.flatMap((trace) =>
  Object.values((parsed(`rfc8448/${trace}.json`) as { messages: Record<string, string> }).messages).map(fromHex),
)

/** Bodies of those of one type. */
export function rfc8448Bodies(type: number): Uint8Array[] {
  return rfc8448Messages.filter(([first]) => first === type).map((message) => message.slice(4))
}

interface Step {
  readonly stream: number | string
  readonly hex: string
}

/** RFC 9204 Appendix B: what goes over one kind of stream. */
export function rfc9204(stream: 'encoder' | 'decoder' | 'request'): Uint8Array[] {
  const steps = (parsed('rfc9204-b/examples.json') as { steps: Step[] }[]).flatMap((section) => section.steps)
  const wanted = (step: Step): boolean => (stream === 'request' ? typeof step.stream === 'number' : step.stream === stream)
  return steps.filter((step) => wanted(step) && typeof step.hex === 'string').map((step) => fromHex(step.hex))
}

/** Every string of hexadecimal digits, at least 20 bytes long, in a file. */
export function longHexIn(path: string): Uint8Array[] {
  const found: Uint8Array[] = []
  const visit = (value: unknown): void => {
    if (typeof value === 'string' && /^(?:[0-9a-f]{2}){20,}$/.test(value)) found.push(fromHex(value))
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  visit(parsed(path))
  return found
}
