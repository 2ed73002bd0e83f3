// Where delivery tokens go home: recovery says which packets arrived or were lost, this file tells the owners. Only
// routing; every rule about saying something again lives with its owner.

import { TokenKind } from '../delivery/token.ts'
import { TOKEN_STRIDE } from '../recovery/sent-packet.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'
import type { PacketSpace } from '../space/packet-space.ts'
import type { ConnectionCore } from './core.ts'

type RouteContext = Pick<ConnectionCore, 'streams' | 'localIds' | 'remoteIds' | 'handshake' | 'newToken' | 'datagrams' | 'ackFrequency'>

export function routeAckedPacket(core: RouteContext, space: PacketSpace, packet: SentPacket): void {
  const tokens = packet.tokens
  const end = packet.tokenCount * TOKEN_STRIDE
  for (let i = 0; i < end; i += TOKEN_STRIDE) {
    const kind = tokens[i]!
    const a = tokens[i + 1]!
    const b = tokens[i + 2]!
    switch (kind) {
      case TokenKind.ack:
        space.received.forgetUpTo(space.ackPolicy.forgettable(a))
        break
      case TokenKind.crypto:
        space.crypto.acked(a, b)
        break
      case TokenKind.newConnectionId:
        core.localIds.acked(a)
        break
      case TokenKind.retireConnectionId:
        core.remoteIds.acked(a)
        break
      case TokenKind.newToken:
        core.newToken.acked(a)
        break
      case TokenKind.ackFrequency:
        core.ackFrequency.acked(a, b)
        break
      case TokenKind.ping:
      case TokenKind.immediateAck:
      case TokenKind.handshakeDone:
      case TokenKind.pathChallenge:
      case TokenKind.pathResponse:
        break
      case TokenKind.datagram:
        core.datagrams.acked(b)
        break
      default:
        core.streams.acked(kind, a, b, tokens[i + 3]!)
    }
  }
}

/** `stillInFlight`: its content goes into a probe as well, but it may yet be acknowledged. */
export function routeLostPacket(core: RouteContext, space: PacketSpace, packet: SentPacket, stillInFlight: boolean = false): void {
  const tokens = packet.tokens
  const end = packet.tokenCount * TOKEN_STRIDE
  for (let i = 0; i < end; i += TOKEN_STRIDE) {
    const kind = tokens[i]!
    const a = tokens[i + 1]!
    const b = tokens[i + 2]!
    switch (kind) {
      case TokenKind.crypto:
        space.crypto.lost(a, b)
        break
      case TokenKind.newConnectionId:
        core.localIds.lost(a)
        break
      case TokenKind.retireConnectionId:
        core.remoteIds.lost(a)
        break
      case TokenKind.handshakeDone:
        core.handshake.onHandshakeDoneLost()
        break
      case TokenKind.newToken:
        core.newToken.lost(a)
        break
      case TokenKind.ackFrequency:
        core.ackFrequency.lost(a)
        break
      case TokenKind.ack:
      case TokenKind.ping:
      case TokenKind.immediateAck:
      // RFC 9000 §13.3: challenges are made afresh by path validation, responses are sent once, datagrams never again.
      case TokenKind.pathChallenge:
      case TokenKind.pathResponse:
        break
      case TokenKind.datagram:
        if (!stillInFlight) core.datagrams.lost(b)
        break
      default:
        core.streams.lost(kind, a, b, tokens[i + 3]!)
    }
  }
}
