// A client and a server that know each other: the second connection of a pair, with a session that allows early data.

import { EMPTY, fromHex } from '../../src/base/bytes.ts'
import { PacketKeys } from '../../src/crypto/packet-keys.ts'
import type { TraceSink } from '../../src/trace/sink.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { patchLength, writeLongHeader, writeShortHeader } from '../../src/wire/header-writer.ts'
import { Writer } from '../../src/wire/writer.ts'
import { MemorySessionStore } from '../../src/tls/resumption/session-store.ts'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import type { TicketSettings } from '../../src/tls/resumption/server-tickets.ts'
import type { TlsSettings, TransportSettings } from '../../src/connection/config.ts'
import { providerUnderTest } from '../crypto/provider-under-test.ts'
import { Pair, echo } from './pair.ts'
import type { PairOptions, Peer } from './pair.ts'

const SUITE = 0x1301

export const AGAIN = '10.0.0.3:5000'

/** Sides whose settings may change between the first connection and the second. */
export interface Change {
  server?: Partial<TransportSettings>
  serverTls?: Partial<TlsSettings>
  clientTls?: Partial<TlsSettings>
}

export interface LongPacket {
  readonly from: string
  readonly type: number
  readonly version: number
}

/** What a trace was told, by hook. */
export class Told {
  readonly calls: { readonly hook: string; readonly values: readonly unknown[] }[]
  readonly sink: TraceSink

  constructor() {
    this.calls = []
    this.sink = new Proxy({} as TraceSink, {
      get: (_target, hook) => (...values: unknown[]) => void this.calls.push({ hook: String(hook), values }),
    })
  }

  /** Values after `now`. */
  of(hook: keyof TraceSink): unknown[][] {
    return this.calls.filter((call) => call.hook === hook).map(({ values }) => values.slice(1))
  }
}

export class Reunion {
  readonly pair: Pair
  readonly sessions: MemorySessionStore
  readonly tickets: ServerTickets
  /** What streamIsEarly() said of each stream when its first event came, on the second server connection. */
  readonly early: Map<number, boolean>
  /** Long header packets of both sides since the first connection, in order. */
  readonly packets: LongPacket[]
  private readonly change: Change
  /** CLIENT_EARLY_TRAFFIC_SECRET of the last offer. */
  private secret: Uint8Array
  private serverSecret: Uint8Array

  /** The first connection is over when the constructor returns; the options' TLS settings are for both. */
  constructor(options: PairOptions = {}, tickets: TicketSettings = {}) {
    this.sessions = new MemorySessionStore()
    this.tickets = new ServerTickets(options.provider ?? providerUnderTest, { earlyData: true, ...tickets })
    this.early = new Map()
    this.packets = []
    this.change = {}
    this.secret = EMPTY
    this.serverSecret = EMPTY
    const { change, early } = this
    const serverTls = { tickets: this.tickets, ...options.serverTls }
    const keylog = (line: string): void => this.note(line)
    const clientTls = { sessions: this.sessions, earlyData: true, keylog, cipherSuites: [SUITE] as const, ...options.clientTls }
    const serve = options.serve ?? echo
    this.pair = new Pair({
      ...options,
      // Read for every connection.
      get server() {
        return { ...options.server, ...change.server }
      },
      get serverTls() {
        return { ...serverTls, ...change.serverTls }
      },
      get clientTls() {
        return { ...clientTls, ...change.clientTls }
      },
      serve: (peer, event, now) => {
        if ('streamId' in event && event.streamId >= 0 && !early.has(event.streamId)) {
          early.set(event.streamId, peer.connection.streamIsEarly(event.streamId))
        }
        serve(peer, event, now)
      },
    })
    this.pair.establish().settle()
    this.early.clear()
    const view = new HeaderView()
    this.pair.network.observe(({ bytes, from }) => {
      for (let at = 0; at < bytes.length; at = view.packetEnd) {
        if (parseHeader(view, bytes, at, bytes.length, 8, true) !== HeaderResult.ok || !view.isLongHeader()) return
        this.packets.push({ from, type: view.packetType, version: view.version })
      }
    })
  }

  /** The second connection; nothing is sent before `write` has written. */
  meet(write: (client: Peer) => void = () => undefined, change: Change = {}): Peer {
    Object.assign(this.change, change)
    const client = this.pair.connect('again', AGAIN)
    write(client)
    this.pair.network.turnAll()
    return client
  }

  confirm(client: Peer): this {
    this.pair.network.run(() => client.connection.isConfirmed())
    return this
  }

  /** The server's side of the second connection. */
  get server(): Peer {
    const peer = this.pair.servers[1]
    if (peer === undefined) throw new Error('the server has no second connection')
    return peer
  }

  /** A 0-RTT packet of the second client, as somebody with its keys would make one; these are of version 1, whatever the header says. */
  seal(client: Peer, frames: Uint8Array, packetNumber: number, version: number = 1): Uint8Array {
    const writer = new Writer(new Uint8Array(2000))
    const { connection } = client
    const [source] = connection.sourceConnectionIds()
    const destination = connection.originalDestinationConnectionId
    const lengthAt = writeLongHeader(writer, PacketType.zeroRtt, version, destination, source!, EMPTY, packetNumber, 4)
    const start = writer.position
    writer.bytes(frames)
    writer.zeros(Math.max(0, 4 - frames.length))
    patchLength(writer.buffer, lengthAt, writer.position + 16 - (start - 4))
    const end = new PacketKeys(providerUnderTest, SUITE, this.secret).protect(writer.buffer, 0, start - 4, 4, writer.position, packetNumber)
    return writer.buffer.slice(0, end)
  }

  /** A 1-RTT packet from the server to the second client, of the first key phase. */
  sealAsServer(client: Peer, frames: Uint8Array, packetNumber: number): Uint8Array {
    const writer = new Writer(new Uint8Array(2000))
    writeShortHeader(writer, client.connection.sourceConnectionIds()[0]!, packetNumber, 4, 0, 0)
    const start = writer.position
    writer.bytes(frames)
    const keys = new PacketKeys(providerUnderTest, SUITE, this.serverSecret)
    const end = keys.protect(writer.buffer, 0, start - 4, 4, writer.position, packetNumber)
    return writer.buffer.slice(0, end)
  }

  private note(line: string): void {
    const [label, , secret] = line.split(' ')
    if (label === 'CLIENT_EARLY_TRAFFIC_SECRET') this.secret = fromHex(secret!)
    if (label === 'SERVER_TRAFFIC_SECRET_0') this.serverSecret = fromHex(secret!)
  }

  earlyPackets(): LongPacket[] {
    return this.packets.filter(({ from, type }) => from === AGAIN && type === PacketType.zeroRtt)
  }
}

/** The `early-data` events of a side. */
export function answers(peer: Peer): object[] {
  return peer.events.filter(({ kind }) => kind === 'early-data')
}

export const ACCEPTED: object = { kind: 'early-data', accepted: true, streamsKept: true }
