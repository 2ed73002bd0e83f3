// Transport parameters ⇄ the extension_data of quic_transport_parameters (RFC 9000 §18). Decoded values are copies:
// they outlive the handshake message.

import { invariant } from '../../base/assert.ts'
import { copyBytes } from '../../base/bytes.ts'
import { RESET_TOKEN_LENGTH } from '../constants.ts'
import { Reader } from '../reader.ts'
import { transportParameterError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import { varintSize } from '../varint.ts'
import { Writer } from '../writer.ts'
import type { ParameterRow, PreferredAddress, TransportParameters, VersionInformation } from './table.ts'
import { defaultTransportParameters, PARAMETER_TABLE } from './table.ts'
import type { ParameterSender } from './validate.ts'
import { validatePreferredAddress, validateRange, validateSender, validateTogether, validateVersionInformation } from './validate.ts'

const DEFAULTS: TransportParameters = defaultTransportParameters()

/** A parameter that peers must ignore (RFC 9000 §18.1). */
export interface GreaseParameter {
  /** Of the form 31 · N + 27. */
  id: number
  value: Uint8Array
}

/** RFC 9000 §18.1: the reserved identifier number `n`, 31 · n + 27. */
export function greaseParameterId(n: number): number {
  return 31 * n + 27
}

/** Encodes what differs from the defaults. InvariantError when a client is given server-only parameters or a value is illegal. */
export function encodeTransportParameters(
  params: TransportParameters,
  role: ParameterSender,
  grease?: GreaseParameter,
): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(encodedBound(params, grease))
  const writer = new Writer(buffer)
  for (const row of PARAMETER_TABLE) {
    if (!isDeclared(params, row)) continue
    invariant(!row.serverOnly || role === 'server', 'client with a server-only transport parameter')
    writer.varint(row.id)
    writeValue(writer, params, row)
  }
  if (grease !== undefined) {
    writer.varint(grease.id)
    writeBytes(writer, grease.value)
  }
  return buffer.slice(0, writer.position)
}

function encodedBound(params: TransportParameters, grease: GreaseParameter | undefined): number {
  const versions = params.versionInformation === null ? 0 : params.versionInformation.available.length
  return 1024 + versions * 4 + (grease === undefined ? 0 : grease.value.length + 16)
}

function isDeclared(params: TransportParameters, row: ParameterRow): boolean {
  return params[row.key] !== DEFAULTS[row.key]
}

function writeBytes(writer: Writer, value: Uint8Array): void {
  writer.varint(value.length)
  writer.bytes(value)
}

function writeValue(writer: Writer, params: TransportParameters, row: ParameterRow): void {
  if (row.kind === 'integer') {
    const value = params[row.key]
    invariant(value >= row.minimum && value <= row.maximum, 'transport parameter out of range')
    writer.varint(varintSize(value))
    writer.varint(value)
  } else if (row.kind === 'flag') {
    writer.varint(0)
  } else if (row.kind === 'bytes') {
    const value = params[row.key]!
    invariant(value.length >= row.minimum && value.length <= row.maximum, 'transport parameter of wrong length')
    writeBytes(writer, value)
  } else if (row.kind === 'preferred-address') {
    writePreferredAddress(writer, params.preferredAddress!)
  } else {
    const { chosen, available } = params.versionInformation!
    writer.varint(4 + available.length * 4)
    writer.u32(chosen)
    for (const version of available) writer.u32(version)
  }
}

function writePreferredAddress(writer: Writer, address: PreferredAddress): void {
  invariant(
    address.ipv4Address.length === 4 && address.ipv6Address.length === 16 && address.statelessResetToken.length === RESET_TOKEN_LENGTH,
    'preferred address of wrong length',
  )
  invariant(address.connectionId.length >= 1 && address.connectionId.length <= 20, 'preferred address connection ID of wrong length')
  writer.varint(41 + address.connectionId.length)
  writer.bytes(address.ipv4Address)
  writer.u16(address.ipv4Port)
  writer.bytes(address.ipv6Address)
  writer.u16(address.ipv6Port)
  writer.u8(address.connectionId.length)
  writer.bytes(address.connectionId)
  writer.bytes(address.statelessResetToken)
}

/** Decodes and validates what `sender` declares; what it does not declare has the default. Unknown parameters are ignored. */
export function decodeTransportParameters(bytes: Uint8Array, sender: ParameterSender): TransportParameters {
  const params = defaultTransportParameters()
  const seen = new Set<WireValue>()
  const reader = new Reader(bytes)
  const value = new Reader()
  while (reader.remaining > 0) {
    const id = reader.varintExact()
    const length = reader.varint()
    const start = reader.position
    reader.skip(length)
    if (reader.failed) throw transportParameterError('transport parameters are cut short')
    // RFC 9000 §7.4: "An endpoint SHOULD treat receipt of duplicate transport parameters as […] TRANSPORT_PARAMETER_ERROR."
    if (seen.has(id)) throw transportParameterError(`duplicate transport parameter 0x${id.toString(16)}`)
    seen.add(id)
    const row = rowOf(id)
    if (row === null) continue
    validateSender(row, sender)
    value.reset(bytes, start, start + length)
    readValue(value, params, row, sender)
    if (value.failed || value.remaining > 0) throw transportParameterError(`${row.name} of wrong length`)
  }
  validateTogether(params)
  return params
}

function rowOf(id: WireValue): ParameterRow | null {
  for (const row of PARAMETER_TABLE) if (row.id === id) return row
  return null
}

function readValue(reader: Reader, params: TransportParameters, row: ParameterRow, sender: ParameterSender): void {
  if (row.kind === 'integer') {
    const value = reader.varintExact()
    if (reader.failed) return
    validateRange(row.name, value, row.minimum, row.maximum)
    params[row.key] = typeof value === 'number' ? value : Number.MAX_SAFE_INTEGER
  } else if (row.kind === 'flag') {
    params[row.key] = true
  } else if (row.kind === 'bytes') {
    validateRange(row.name, reader.remaining, row.minimum, row.maximum)
    params[row.key] = copyBytes(reader.view(reader.remaining))
  } else if (row.kind === 'preferred-address') {
    params.preferredAddress = readPreferredAddress(reader)
  } else {
    params.versionInformation = readVersionInformation(reader, sender)
  }
}

function readPreferredAddress(reader: Reader): PreferredAddress {
  const ipv4Address = copyBytes(reader.view(4))
  const ipv4Port = reader.u16()
  const ipv6Address = copyBytes(reader.view(16))
  const ipv6Port = reader.u16()
  const connectionId = copyBytes(reader.view(reader.u8()))
  const statelessResetToken = copyBytes(reader.view(RESET_TOKEN_LENGTH))
  const address = { ipv4Address, ipv4Port, ipv6Address, ipv6Port, connectionId, statelessResetToken }
  if (!reader.failed) validatePreferredAddress(address)
  return address
}

function readVersionInformation(reader: Reader, sender: ParameterSender): VersionInformation {
  const chosen = reader.u32()
  const available: number[] = []
  while (reader.remaining > 0) available.push(reader.u32())
  const information = { chosen, available }
  if (!reader.failed) validateVersionInformation(information, sender)
  return information
}
