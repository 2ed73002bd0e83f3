import { readVarintExact, varintLengthAt, varintSize, writeVarint } from '@quicwire/quic/varint'
import { H3ErrorCode, connectionError } from '../errors.ts'
import { encodeFrame } from '../wire/frame-writer.ts'
import { FrameType } from '../wire/frame-types.ts'
import { isRequestStream } from '../wire/stream-types.ts'

/** PRIORITY_UPDATE for requests (RFC 9218 §7.2): both directions of the frame. */

/** Largest payload read. Priority Field Values are some ten bytes long; parameters to come may be longer. */
export const MAX_PRIORITY_UPDATE_PAYLOAD = 1024

export class PriorityUpdate {
  streamId: number
  /** The Priority Field Value, as it was sent. */
  value: string

  constructor() {
    this.streamId = -1
    this.value = ''
  }
}

/** Reads the payload bytes[start, end). Throws H3Error. */
export function parsePriorityUpdate(bytes: Uint8Array, start: number, end: number, out: PriorityUpdate): void {
  const id = readVarintExact(bytes, start, end)
  if (id === -1) throw connectionError(H3ErrorCode.frameError, 'PRIORITY_UPDATE without an element id')
  // RFC 9218 §7.2: MUST reference a request stream. An id beyond 2^53 is beyond every stream limit.
  if (typeof id !== 'number' || !isRequestStream(id)) throw connectionError(H3ErrorCode.idError, `PRIORITY_UPDATE for element ${id}`)
  out.streamId = id
  out.value = ''
  for (let i = start + varintLengthAt(bytes[start]!); i < end; i++) out.value += String.fromCharCode(bytes[i]!)
}

export function encodePriorityUpdate(streamId: number, value: string): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(varintSize(streamId) + value.length)
  const position = writeVarint(payload, 0, streamId)
  for (let i = 0; i < value.length; i++) payload[position + i] = value.charCodeAt(i)
  return encodeFrame(FrameType.priorityUpdateRequest, payload)
}
