// NEW_CONNECTION_ID and RETIRE_CONNECTION_ID frames (RFC 9000 §19.15, §19.16).

import { EMPTY } from '../../base/bytes.ts'
import { FrameType, MAX_CID_LENGTH, RESET_TOKEN_LENGTH } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readNewConnectionIdFrame on it. The byte strings are views of the packet: copy to keep. */
export class NewConnectionIdFrame {
  sequence: number
  retirePriorTo: number
  connectionId: Uint8Array
  statelessResetToken: Uint8Array

  constructor() {
    this.sequence = 0
    this.retirePriorTo = 0
    this.connectionId = EMPTY
    this.statelessResetToken = EMPTY
  }
}

/** Decodes a NEW_CONNECTION_ID frame whose type has been read. */
export function readNewConnectionIdFrame(reader: Reader, type: number, out: NewConnectionIdFrame): void {
  const sequence = reader.varint()
  const retirePriorTo = reader.varint()
  const length = reader.u8()
  if (reader.failed) throw frameEncodingError(type, 'NEW_CONNECTION_ID frame is cut short or its values are too large')
  // RFC 9000 §19.15: "Values less than 1 and greater than 20 are invalid".
  if (length < 1 || length > MAX_CID_LENGTH) throw frameEncodingError(type, 'connection ID length out of 1 to 20')
  if (retirePriorTo > sequence) throw frameEncodingError(type, 'Retire Prior To above Sequence Number')
  const connectionId = reader.view(length)
  const statelessResetToken = reader.view(RESET_TOKEN_LENGTH)
  if (reader.failed) throw frameEncodingError(type, 'NEW_CONNECTION_ID frame is cut short')
  out.sequence = sequence
  out.retirePriorTo = retirePriorTo
  out.connectionId = connectionId
  out.statelessResetToken = statelessResetToken
}

/** Bytes of a NEW_CONNECTION_ID frame. */
export function newConnectionIdFrameSize(sequence: number, retirePriorTo: number, connectionIdLength: number): number {
  return 1 + varintSize(sequence) + varintSize(retirePriorTo) + 1 + connectionIdLength + RESET_TOKEN_LENGTH
}

/** Writes a NEW_CONNECTION_ID frame. */
export function writeNewConnectionIdFrame(
  writer: Writer,
  sequence: number,
  retirePriorTo: number,
  connectionId: Uint8Array,
  statelessResetToken: Uint8Array,
): void {
  writer.u8(FrameType.newConnectionId)
  writer.varint(sequence)
  writer.varint(retirePriorTo)
  writer.u8(connectionId.length)
  writer.bytes(connectionId)
  writer.bytes(statelessResetToken)
}

/** Reused; valid until the next readRetireConnectionIdFrame on it. */
export class RetireConnectionIdFrame {
  sequence: number

  constructor() {
    this.sequence = 0
  }
}

/** Decodes a RETIRE_CONNECTION_ID frame whose type has been read. */
export function readRetireConnectionIdFrame(reader: Reader, type: number, out: RetireConnectionIdFrame): void {
  out.sequence = reader.varint()
  if (reader.failed) throw frameEncodingError(type, 'RETIRE_CONNECTION_ID frame is cut short or its value is too large')
}

/** Bytes of a RETIRE_CONNECTION_ID frame. */
export function retireConnectionIdFrameSize(sequence: number): number {
  return 1 + varintSize(sequence)
}

/** Writes a RETIRE_CONNECTION_ID frame. */
export function writeRetireConnectionIdFrame(writer: Writer, sequence: number): void {
  writer.u8(FrameType.retireConnectionId)
  writer.varint(sequence)
}
