// What the runner asks of captures, each a value with a name, so that two readings of the same capture can be held against each other.

import { toHex } from '../../packages/quic/src/base/bytes.ts'
import { HandshakeType } from '../../packages/quic/src/tls/codec/message.ts'
import { FrameType } from '../../packages/quic/src/wire/constants.ts'
import { versionName } from '../../packages/quic/src/wire/version.ts'
import type { CapturedDatagram, CapturedPacket, CapturedPacketType, Sender } from '../capture/datagram.ts'
import { datagramsOf, packetsOf, type Evidence } from './evidence.ts'

export interface Fact<Value = unknown> {
  readonly name: string
  /** Something JSON can write: that is how two of them are compared. */
  of(evidence: Evidence): Value
  /** As `of`, but without what the other reading cannot say anything of; absent: there is nothing of the kind. */
  comparable?(evidence: Evidence, other: Evidence): Value
}

function fact<Value>(name: string, of: (evidence: Evidence) => Value): Fact<Value> {
  return { name, of }
}

/** Each side as its own capture has it: before the network has done anything to its packets. */
function ownCapture({ left, right }: Evidence, sender: Sender): readonly CapturedDatagram[] {
  return sender === 'client' ? left : right
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)].sort()
}

function versions(sender: Sender, type: CapturedPacketType): (evidence: Evidence) => string[] {
  return (evidence) => distinct(packetsOf(ownCapture(evidence, sender), sender, type).map(({ version }) => versionName(version)))
}

/** The runner's count of handshakes: distinct Source Connection IDs of the server's Initial packets. */
export const handshakeIds: Fact<string[]> = fact('Source Connection IDs of server Initials', ({ right }) =>
  distinct(packetsOf(right, 'server', 'initial').map(({ sourceId }) => sourceId)),
)

export const serverInitialVersions: Fact<string[]> = fact('versions of server Initials', versions('server', 'initial'))
export const clientInitialVersions: Fact<string[]> = fact('versions of client Initials', versions('client', 'initial'))
export const clientHandshakeVersions: Fact<string[]> = fact('versions of client Handshake packets', versions('client', 'handshake'))
export const serverHandshakeVersions: Fact<string[]> = fact('versions of server Handshake packets', versions('server', 'handshake'))

export const retryTokens: Fact<string[]> = fact('Retry tokens', ({ left }) => packetsOf(left, 'server', 'retry').map(({ token }) => token))

/** In the order sent. */
export const clientInitials: Fact<{ packetNumber: number; token: string }[]> = fact('packet numbers and tokens of client Initials', ({ left }) =>
  packetsOf(left, 'client', 'initial').map(({ packetNumber, token }) => ({ packetNumber, token })),
)

/** Client Initials that bring a ClientHello to its end, or bytes of it once more. */
export const clientHellos: Fact<number> = fact('client Initials with a ClientHello', ({ left }) =>
  packetsOf(left, 'client', 'initial').filter((packet) => packet.repeatsCrypto || hasMessage(packet, HandshakeType.clientHello)).length,
)

export const offeredSuites: Fact<string[]> = fact('cipher suites in ClientHellos', ({ left }) =>
  distinct(packetsOf(left, 'client', 'initial').flatMap(({ messages }) => messages.flatMap(({ cipherSuites }) => (cipherSuites ?? []).map(suiteName)))),
)

function suiteName(suite: number): string {
  return `0x${suite.toString(16).padStart(4, '0')}`
}

export const streamLimits: Fact<number[]> = fact("server's initial_max_streams_bidi", ({ left }) =>
  packetsOf(left, 'server', 'handshake').flatMap(({ messages }) =>
    messages.flatMap(({ initialMaxStreamsBidi }) => (initialMaxStreamsBidi === undefined ? [] : [initialMaxStreamsBidi])),
  ),
)

/** Of each server connection ID in Handshake packets, in order of appearance. */
export const serverCertificates: Fact<{ id: string; certificate: boolean }[]> = fact('server Handshake packets with a Certificate', ({ left }) => {
  const found = new Map<string, boolean>()
  for (const packet of packetsOf(left, 'server', 'handshake')) {
    found.set(packet.sourceId, found.get(packet.sourceId) === true || hasMessage(packet, HandshakeType.certificate))
  }
  return [...found].map(([id, certificate]) => ({ id, certificate }))
})

export const zeroRttBytes: Fact<number> = fact('bytes of 0-RTT payload', ({ left }) => payloadOf(packetsOf(left, 'client', '0-rtt')))
export const clientOneRttBytes: Fact<number> = {
  ...fact('bytes of client 1-RTT payload', ({ left }) => payloadOf(packetsOf(left, 'client', '1-rtt'))),
  // Where the payload of a packet begins is known to those who can open it. Wireshark 4.0 loses a connection without a client
  // connection ID when the same port begins another: a CONNECTION_CLOSE that is said again is closed to it.
  comparable: ({ left }, other) => payloadOf(openedByBoth(left, other.left).filter(({ type }) => type === '1-rtt')),
}

/** The client's packets that the other reading could open too. */
function openedByBoth(capture: readonly CapturedDatagram[], other: readonly CapturedDatagram[]): CapturedPacket[] {
  const theirs = new Map(other.map(({ frame, packets }) => [frame, packets]))
  return datagramsOf(capture, 'client').flatMap(({ frame, packets }) =>
    packets.filter((packet, place) => packet.decrypted && theirs.get(frame)?.[place]?.decrypted === true),
  )
}

function payloadOf(packets: readonly CapturedPacket[]): number {
  return packets.reduce((sum, { payloadLength }) => sum + payloadLength, 0)
}

export interface PhaseCounts {
  readonly phase0: number
  readonly phase1: number
  readonly undecrypted: number
}

export const keyPhases: Fact<Record<Sender, PhaseCounts>> = fact('key phases of 1-RTT packets', (evidence) => {
  const count = (sender: Sender): PhaseCounts => {
    const packets = packetsOf(ownCapture(evidence, sender), sender, '1-rtt')
    const having = (phase: 0 | 1 | null): number => packets.filter(({ keyPhase }) => keyPhase === phase).length
    return { phase0: having(0), phase1: having(1), undecrypted: having(null) }
  }
  return { client: count('client'), server: count('server') }
})

export interface EcnUse {
  readonly ect0: number
  readonly ect1: number
  readonly ce: number
  /** ACK frames with counts, in the first packet of some datagram. */
  readonly reported: boolean
}

export const ecnUse: Fact<Record<Sender, EcnUse>> = fact('ECN marks and reports', (evidence) => {
  const use = (sender: Sender): EcnUse => {
    const datagrams = datagramsOf(ownCapture(evidence, sender), sender)
    const marked = (ecn: number): number => datagrams.filter((datagram) => datagram.ecn === ecn).length
    const reported = datagrams.some(({ packets }) => packets[0]?.frames.some(({ type }) => type === FrameType.ackEcn) === true)
    return { ect0: marked(2), ect1: marked(1), ce: marked(3), reported }
  }
  return { client: use('client'), server: use('server') }
})

/** Bytes of the server's handshake flight: where its CRYPTO data ends. */
export const serverFlight: Fact<number> = fact('end of CRYPTO data in server Handshake packets', ({ right }) =>
  packetsOf(right, 'server', 'handshake').reduce(
    (end, { frames }) => frames.reduce((max, frame) => (frame.type === FrameType.crypto ? Math.max(max, (frame.offset ?? 0) + (frame.length ?? 0)) : max), end),
    0,
  ),
)

export interface SentBeforeValidation {
  readonly sender: Sender
  /** Of its first packet. */
  readonly type: CapturedPacketType
  readonly length: number
}

/** The server's side up to and with the first datagram of the client that begins with a Handshake packet. */
export const beforeValidation: Fact<SentBeforeValidation[]> = fact('datagrams before the address is validated', ({ right }) => {
  const end = right.findIndex(({ sender, packets }) => sender === 'client' && packets[0]?.type === 'handshake')
  return right.slice(0, end < 0 ? right.length : end + 1).map(({ sender, packets, length }) => ({ sender, type: packets[0]?.type ?? 'unknown', length }))
})

export interface NewPath {
  readonly path: string
  /** Of PATH_CHALLENGE frames in the first packet of the first datagram on it. */
  readonly challenges: readonly string[]
}

function pathOf({ source, destination }: CapturedDatagram): string {
  return `${source} to ${destination}`
}

/** Address pairs the server sends on, in order of appearance. */
export const serverPaths: Fact<NewPath[]> = fact('paths of the server and their PATH_CHALLENGEs', ({ right }) => {
  const paths = new Map<string, NewPath>()
  for (const datagram of datagramsOf(right, 'server')) {
    const path = pathOf(datagram)
    if (!paths.has(path)) paths.set(path, { path, challenges: dataOf(datagram.packets.slice(0, 1), FrameType.pathChallenge) })
  }
  return [...paths.values()]
})

export const serverSeenAddresses: Fact<string[]> = fact('client addresses the server sends to', ({ right }) =>
  distinct(datagramsOf(right, 'server').map(({ destination }) => destination.slice(0, destination.lastIndexOf(':')))),
)

export const pathResponses: Fact<string[]> = fact("client's PATH_RESPONSEs", ({ left }) =>
  distinct(datagramsOf(left, 'client').flatMap(({ packets }) => dataOf(packets, FrameType.pathResponse))),
)

function dataOf(packets: readonly CapturedPacket[], type: number): string[] {
  return packets.flatMap(({ frames }) => frames.flatMap((frame) => (frame.type === type && frame.data !== undefined ? [toHex(frame.data)] : [])))
}

export interface PathMove {
  readonly path: string
  readonly destinationIdBefore: string
  readonly destinationId: string
}

/** Each time the client sends on an address pair for the first time, but for the very first. */
export const clientMoves: Fact<PathMove[]> = fact('new paths of the client and their Destination Connection IDs', ({ left }) => {
  const moves: PathMove[] = []
  const known = new Set<string>()
  let before: string | null = null
  for (const datagram of datagramsOf(left, 'client')) {
    const path = pathOf(datagram)
    const destinationId = datagram.packets[0]?.destinationId ?? ''
    if (before !== null && !known.has(path)) moves.push({ path, destinationIdBefore: before, destinationId })
    known.add(path)
    before = destinationId
  }
  return moves
})

export const serverIpv4Datagrams: Fact<number> = fact('IPv4 datagrams of the server', ({ right }) => datagramsOf(right, 'server').filter(({ ipVersion }) => ipVersion === 4).length)

/** From the server's first 1-RTT packet to its last, as the client sees them, in ms, to the microsecond. */
export const transferTime: Fact<number> = fact('time of the transfer', ({ left }) => {
  const times = datagramsOf(left, 'server').flatMap(({ time, packets }) => (packets.some(({ type }) => type === '1-rtt') ? [time] : []))
  return times.length === 0 ? 0 : Math.round((times.at(-1)! - times[0]!) * 1000) / 1000
})

/** Version Negotiation packets say whom they answer by their connection IDs. */
export const negotiationAnswers: Fact<string[]> = fact('Source Connection IDs of Version Negotiation', ({ left }) =>
  distinct(packetsOf(left, 'server', 'version-negotiation').map(({ sourceId }) => sourceId)),
)

/** Not for comparison: Wireshark 4.0 does not read packets of versions it does not know. */
export const clientDestinationIds: Fact<string[]> = fact('Destination Connection IDs of the client', ({ left }) =>
  distinct(datagramsOf(left, 'client').flatMap(({ packets }) => packets.filter(({ version }) => version !== 0).map(({ destinationId }) => destinationId))),
)

function hasMessage(packet: CapturedPacket, type: number): boolean {
  return packet.messages.some((message) => message.type === type)
}
