import { readVarintExact, varintLengthAt, varintSizeExact, writeVarintExact } from '@quicwire/quic/varint'
import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode, connectionError } from '../errors.ts'
import { encodeFrame } from './frame-writer.ts'
import { FrameType } from './frame-types.ts'

/** SETTINGS (RFC 9114 §7.2.4): encoding, and the rules every receiver applies. */

export const SettingId = {
  qpackMaxTableCapacity: 0x1,
  maxFieldSectionSize: 0x6,
  qpackBlockedStreams: 0x7,
  /** RFC 9220 §3 */
  enableConnectProtocol: 0x8,
  /** RFC 9297 §2.1.1 */
  h3Datagram: 0x33,
} as const

export type Setting = readonly [id: WireValue, value: WireValue]

/** Largest SETTINGS payload read; room for some hundred settings. */
export const MAX_SETTINGS_PAYLOAD = 4096

export function encodeSettings(settings: readonly Setting[]): Uint8Array<ArrayBuffer> {
  let size = 0
  for (const [id, value] of settings) size += varintSizeExact(id) + varintSizeExact(value)
  const payload = new Uint8Array(size)
  let position = 0
  for (const [id, value] of settings) position = writeVarintExact(payload, writeVarintExact(payload, position, id), value)
  return encodeFrame(FrameType.settings, payload)
}

/** Reads the payload bytes[start, end). Throws H3Error: H3_FRAME_ERROR when it is cut short, H3_SETTINGS_ERROR for what it says. */
export function parseSettings(bytes: Uint8Array, start: number, end: number): Setting[] {
  const settings: Setting[] = []
  const seen = new Set<WireValue>()
  let position = start
  while (position < end) {
    const id = readVarintExact(bytes, position, end)
    if (id !== -1) position += varintLengthAt(bytes[position]!)
    const value = id === -1 ? -1 : readVarintExact(bytes, position, end)
    if (value === -1) throw connectionError(H3ErrorCode.frameError, 'SETTINGS ends inside a setting')
    position += varintLengthAt(bytes[position]!)
    // RFC 9114 §7.2.4: the same identifier MUST NOT occur more than once.
    if (seen.has(id)) throw connectionError(H3ErrorCode.settingsError, `setting 0x${id.toString(16)} occurs twice`)
    seen.add(id)
    checkSetting(id, value)
    settings.push([id, value])
  }
  return settings
}

function checkSetting(id: WireValue, value: WireValue): void {
  switch (id) {
    case 0x0:
    case 0x2:
    case 0x3:
    case 0x4:
    case 0x5:
      // RFC 9114 §7.2.4.1: reserved for HTTP/2 settings without an equivalent.
      throw connectionError(H3ErrorCode.settingsError, `setting 0x${id.toString(16)} belongs to HTTP/2`)
    case SettingId.enableConnectProtocol:
      // RFC 8441 §3: the value MUST be 0 or 1.
      if (value > 1) throw connectionError(H3ErrorCode.settingsError, `SETTINGS_ENABLE_CONNECT_PROTOCOL is ${value}`)
      return
    case SettingId.h3Datagram:
      // RFC 9297 §2.1.1: a value that is neither 0 nor 1 MUST be an error.
      if (value > 1) throw connectionError(H3ErrorCode.settingsError, `SETTINGS_H3_DATAGRAM is ${value}`)
      return
    default:
  }
}

/** RFC 9114 §7.2.4.1: settings of the form 0x1f * N + 0x21 mean nothing. */
export function isReservedSetting(id: WireValue): boolean {
  return typeof id === 'number' ? id >= 0x21 && (id - 0x21) % 0x1f === 0 : (id - 0x21n) % 0x1fn === 0n
}
