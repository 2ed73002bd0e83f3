// The parsers of QUIC's own format: headers, frames, transport parameters.

import { describeFrames } from '../../packages/quic/src/connection/frame-records.ts'
import { PacketType } from '../../packages/quic/src/wire/constants.ts'
import { isKnownFrame } from '../../packages/quic/src/wire/frame-table.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../packages/quic/src/wire/header.ts'
import { decodeTransportParameters, encodeTransportParameters } from '../../packages/quic/src/wire/transport-parameters/codec.ts'
import { decodeRememberedParameters, encodeRememberedParameters } from '../../packages/quic/src/wire/transport-parameters/remembered.ts'
import { defaultTransportParameters, type TransportParameters } from '../../packages/quic/src/wire/transport-parameters/table.ts'
import { TransportError } from '../../packages/quic/src/wire/transport-error.ts'
import { decodeSupportedVersions, encodeVersionNegotiation } from '../../packages/quic/src/wire/version-negotiation.ts'
import { promised, type Target } from '../target.ts'
import { longHexIn } from '../vectors.ts'

const expected = (error: unknown): boolean => error instanceof TransportError
const never = (): boolean => false
const filled = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)

const LOCAL_ID = 8

const packets = ['rfc9001-a/initial.json', 'rfc9001-a/retry.json', 'rfc9001-a/chacha20-short-header.json', 'rfc9369-a/initial.json', 'rfc9369-a/retry.json'].flatMap(longHexIn)

/** One of each frame, as RFC 9000 §19 lays them out. */
const frames: readonly (readonly number[])[] = [
  [0x00, 0x00, 0x01],
  [0x02, 0x40, 0x64, 0x08, 0x01, 0x03, 0x02, 0x04],
  [0x03, 0x10, 0x00, 0x00, 0x05, 0x01, 0x02, 0x03],
  [0x04, 0x04, 0x41, 0x0c, 0x0a],
  [0x05, 0x08, 0x41, 0x0c],
  [0x06, 0x00, 0x03, 1, 2, 3],
  [0x07, 0x04, 1, 2, 3, 4],
  [0x0f, 0x04, 0x40, 0x80, 0x02, 9, 9],
  [0x08, 0x04, 9, 9],
  [0x10, 0x80, 0x01, 0x00, 0x00],
  [0x11, 0x04, 0x44, 0x00],
  [0x12, 0x40, 0x64, 0x13, 0x03],
  [0x14, 0x05, 0x15, 0x04, 0x05, 0x16, 0x02, 0x17, 0x02],
  [0x18, 0x02, 0x01, 0x08, ...filled(8, 1), ...filled(16, 20)],
  [0x19, 0x01],
  [0x1a, ...filled(8, 3), 0x1b, ...filled(8, 3)],
  [0x1c, 0x0a, 0x06, 0x02, 0x6e, 0x6f],
  [0x1d, 0x41, 0x00, 0x03, 0x62, 0x79, 0x65],
  [0x1e],
  [0x24, 0x04, 0x41, 0x0c, 0x10, 0x08],
  [0x31, 0x02, 7, 7, 0x30, 8, 8],
]

const PARAMETERS: TransportParameters = {
  ...defaultTransportParameters(),
  originalDestinationConnectionId: filled(8, 1),
  maxIdleTimeout: 30_000,
  statelessResetToken: filled(16, 1),
  maxUdpPayloadSize: 1472,
  initialMaxData: 1 << 20,
  initialMaxStreamDataBidiLocal: 1 << 18,
  initialMaxStreamsBidi: 100,
  disableActiveMigration: true,
  preferredAddress: {
    ipv4Address: filled(4, 1),
    ipv4Port: 443,
    ipv6Address: filled(16, 1),
    ipv6Port: 443,
    connectionId: filled(8, 30),
    statelessResetToken: filled(16, 50),
  },
  activeConnectionIdLimit: 4,
  initialSourceConnectionId: filled(8, 60),
  retrySourceConnectionId: filled(8, 70),
  maxDatagramFrameSize: 1200,
  greaseQuicBit: true,
  resetStreamAt: true,
  versionInformation: { chosen: 1, available: [1, 0x6b3343cf] },
}
const CLIENT_PARAMETERS: TransportParameters = {
  ...PARAMETERS,
  originalDestinationConnectionId: null,
  statelessResetToken: null,
  preferredAddress: null,
  retrySourceConnectionId: null,
}

export const wireTargets: readonly Target[] = [
  {
    name: 'header',
    corpus: [...packets, encodeVersionNegotiation(filled(8, 1), filled(8, 9), [1, 0x6b3343cf], 5), Uint8Array.of(0x41, ...filled(40, 1))],
    expected: never,
    run(input, random) {
      const view = new HeaderView()
      let at = 0
      while (at < input.length) {
        const result = parseHeader(view, input, at, input.length, LOCAL_ID, random.below(2) === 0)
        if (result === HeaderResult.invalid) return
        promised(view.packetEnd > at && view.packetEnd <= input.length, 'a packet ends behind its start and inside the datagram')
        promised(view.destination().length === view.destinationLength && view.source().length === view.sourceLength, 'connection IDs are inside')
        if (result === HeaderResult.ok) {
          promised(view.packetNumberOffset <= view.packetEnd, 'the packet number is inside')
          promised(view.token().length === view.tokenLength, 'the token is inside')
          if (view.packetType === PacketType.versionNegotiation) decodeSupportedVersions(view)
        }
        at = view.packetEnd
      }
    },
  },
  {
    name: 'frames',
    corpus: [...frames.map((frame) => Uint8Array.from(frame)), Uint8Array.from(frames.slice(0, 6).flat()), Uint8Array.from(frames.slice(9).flat())],
    expected: never,
    run(input) {
      for (const { type } of describeFrames(input, 0, input.length, 3)) promised(isKnownFrame(type), `frame type ${type} is known`)
    },
  },
  {
    name: 'transport-parameters',
    corpus: [encodeTransportParameters(PARAMETERS, 'server'), encodeTransportParameters(CLIENT_PARAMETERS, 'client')],
    expected,
    run(input, random) {
      const sender = random.below(2) === 0 ? 'server' : 'client'
      const params = decodeTransportParameters(input, sender)
      const again = decodeTransportParameters(encodeTransportParameters(params, sender), sender)
      promised(JSON.stringify(again, plain) === JSON.stringify(params, plain), 'what is decoded is what its encoding decodes to')
    },
  },
  {
    name: 'remembered-parameters',
    corpus: [encodeRememberedParameters(PARAMETERS)],
    expected,
    run: (input) => void decodeRememberedParameters(input),
  },
]

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
