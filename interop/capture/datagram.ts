// What a capture says, packet by packet: the words that both readings share, our own (dissector.ts) and Wireshark's (tshark.ts).

import type { FrameRecord } from '../../packages/quic/src/trace/sink.ts'

export type Sender = 'client' | 'server'

export type CapturedPacketType = 'initial' | '0-rtt' | 'handshake' | 'retry' | 'version-negotiation' | '1-rtt' | 'unknown'

/** What checks ask about a TLS handshake message. It stands with the packet that completed it. */
export interface CapturedMessage {
  /** HandshakeType of RFC 9846 §4. */
  readonly type: number
  /** ClientHello: what it offers, in its order. */
  readonly cipherSuites?: readonly number[]
  /** EncryptedExtensions: the transport parameter; absent where it was left out. */
  readonly initialMaxStreamsBidi?: number
}

/** Byte strings are hexadecimal, lowercase. */
export interface CapturedPacket {
  readonly type: CapturedPacketType
  /** 0: a short header or Version Negotiation. */
  readonly version: number
  readonly destinationId: string
  /** '' for short headers. */
  readonly sourceId: string
  /** Of an Initial or a Retry; '' none. */
  readonly token: string
  /** -1: not decrypted. */
  readonly packetNumber: number
  /** Of a decrypted 1-RTT packet, else null. */
  readonly keyPhase: 0 | 1 | null
  readonly decrypted: boolean
  /** Bytes behind the packet number, tag included; the whole rest of the packet when that is not known. */
  readonly payloadLength: number
  /** Without PADDING; empty when not decrypted. ACK ranges are not kept. */
  readonly frames: readonly FrameRecord[]
  readonly messages: readonly CapturedMessage[]
  /** CRYPTO data that had been sent before is in it. */
  readonly repeatsCrypto: boolean
}

/** A UDP datagram with at least one QUIC packet. */
export interface CapturedDatagram {
  /** As Wireshark numbers frames. */
  readonly frame: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly sender: Sender
  readonly ipVersion: 4 | 6
  /** `ADDRESS:PORT`, an IPv6 address in brackets. */
  readonly source: string
  readonly destination: string
  /** 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
  readonly ecn: number
  /** Of the UDP payload, in bytes. */
  readonly length: number
  readonly packets: readonly CapturedPacket[]
}

/** Which addresses are the server's: all else that talks to them is a client. */
export interface CaptureHosts {
  readonly isServer: (address: string, port: number) => boolean
}

/** The server of the runner's network, whichever port it migrates clients to. */
export const RUNNER_HOSTS: CaptureHosts = {
  isServer: (address) => address === '193.167.100.100' || address === 'fd00:cafe:cafe:100::100',
}

export function endpointName(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
