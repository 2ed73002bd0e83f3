import { readVarintExact, varintLengthAt, varintSizeExact, writeVarintExact } from '@quicwire/quic/varint'
import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode } from '../errors.ts'
import { SettingId, isReservedSetting } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'

/** Settings and 0-RTT (RFC 9114 §7.2.4.2): what is remembered of a server's settings, and when it still holds. */

/** What a client keeps beside a session ticket, or a server inside it: `settings` without those that mean nothing. */
export function settingsToRemember(settings: readonly Setting[]): readonly Setting[] {
  return settings.filter(([id]) => !isReservedSetting(id))
}

/** The same as bytes, for places that keep bytes: identifier and value of each setting, varints as in the SETTINGS frame. */
export function encodeRememberedSettings(settings: readonly Setting[]): Uint8Array<ArrayBuffer> {
  const kept = settingsToRemember(settings)
  let size = 0
  for (const [id, value] of kept) size += varintSizeExact(id) + varintSizeExact(value)
  const bytes = new Uint8Array(size)
  let position = 0
  for (const [id, value] of kept) position = writeVarintExact(bytes, writeVarintExact(bytes, position, id), value)
  return bytes
}

/** Null when the bytes are not what `encodeRememberedSettings` makes: early data must not be sent or accepted then. */
export function decodeRememberedSettings(bytes: Uint8Array): readonly Setting[] | null {
  const settings: Setting[] = []
  let position = 0
  while (position < bytes.length) {
    const id = readVarintExact(bytes, position, bytes.length)
    if (id === -1) return null
    position += varintLengthAt(bytes[position]!)
    const value = readVarintExact(bytes, position, bytes.length)
    if (value === -1) return null
    position += varintLengthAt(bytes[position]!)
    settings.push([id, value])
  }
  return settings
}

export interface SettingsConflict {
  readonly code: typeof H3ErrorCode.settingsError | typeof H3ErrorCode.qpackDecoderStreamError
  readonly reason: string
}

/**
 * Whether a client that complied with `remembered` may have violated `current`, both of one server; null when it cannot. What neither
 * RFC 9114 nor its extensions here define is not looked at.
 */
export function settingsConflict(remembered: readonly Setting[], current: readonly Setting[]): SettingsConflict | null {
  // RFC 9204 §3.2.3: a capacity that was used must be the same.
  const capacity = valueOf(remembered, SettingId.qpackMaxTableCapacity, 0)
  if (capacity !== 0 && valueOf(current, SettingId.qpackMaxTableCapacity, 0) !== capacity) {
    const reason = `SETTINGS_QPACK_MAX_TABLE_CAPACITY was ${capacity} for 0-RTT (RFC 9204 §3.2.3)`
    return { code: H3ErrorCode.qpackDecoderStreamError, reason }
  }
  for (const id of [SettingId.qpackBlockedStreams, SettingId.enableConnectProtocol, SettingId.h3Datagram]) {
    const before = valueOf(remembered, id, 0)
    if (valueOf(current, id, 0) < before) return conflict(id, before)
  }
  const section = valueOf(remembered, SettingId.maxFieldSectionSize, -1)
  const now = valueOf(current, SettingId.maxFieldSectionSize, -1)
  // RFC 9114 §7.2.4.2: to leave out what had a value that was not the default is an error, even where the default is more generous.
  if (section === -1 ? now !== -1 : now < section) return conflict(SettingId.maxFieldSectionSize, section)
  return null
}

/**
 * Server: whether early data may be accepted from a client that remembers `remembered`, when `current` is what this connection will send.
 * Settings this package does not know must be the same (RFC 9114 §7.2.4.2: what cannot be determined is not accepted).
 */
export function acceptsEarlyData(remembered: readonly Setting[] | null, current: readonly Setting[]): boolean {
  if (remembered === null || settingsConflict(remembered, current) !== null) return false
  const known: readonly WireValue[] = Object.values(SettingId)
  const unknown = ([id]: Setting): boolean => !known.includes(id) && !isReservedSetting(id)
  const same = (a: readonly Setting[], b: readonly Setting[]): boolean =>
    a.filter(unknown).every(([id, value]) => valueOf(b, id, -1) === value)
  return same(remembered, current) && same(current, remembered)
}

function conflict(id: number, before: WireValue): SettingsConflict {
  const what = before === -1 ? 'unlimited' : before
  return { code: H3ErrorCode.settingsError, reason: `setting 0x${id.toString(16)} was ${what} for 0-RTT (RFC 9114 §7.2.4.2)` }
}

function valueOf(settings: readonly Setting[], id: WireValue, otherwise: WireValue): WireValue {
  for (const setting of settings) if (setting[0] === id) return setting[1]
  return otherwise
}
