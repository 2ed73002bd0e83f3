// Writes a body to a stream's sender, one frame at a time, waiting for room: what the peer does not read is not produced.

import type { OutboundFrameSender } from '@quicwire/driver'
import type { BodySource, Header } from './message.ts'
import { bodyPieces, knownLength } from './message.ts'
import { neverIndexed } from './sensitive.ts'

const EMPTY = new Uint8Array(0)

/** False when the peer or the connection went away; the source's return() has been called then. */
export async function sendBody(
  send: OutboundFrameSender,
  body: BodySource,
  trailers: readonly Header[],
  declaredLength: number | null,
  sensitive: readonly string[] = [],
): Promise<boolean> {
  // The last piece carries the end of the message when its place is known beforehand.
  let left = trailers.length > 0 ? null : (declaredLength ?? knownLength(body))
  let finished = false
  for await (const piece of bodyPieces(body)) {
    if (left !== null) {
      left -= piece.length
      if (left < 0) throw new RangeError('the body is longer than its content-length')
      finished = left === 0
    }
    if (!(await send.send({ kind: 'Body', data: piece, fin: finished }))) return false
    if (finished) return true
  }
  if (left !== null && left > 0) throw new RangeError('the body is shorter than its content-length')
  if (trailers.length === 0) return send.send({ kind: 'Body', data: EMPTY, fin: true })
  return send.send({ kind: 'Trailers', headers: trailers, neverIndexed: neverIndexed(trailers, sensitive) })
}
