// The NEW_TOKEN frame a server owes its client (RFC 9000 §8.1.3, §19.7): said once 1-RTT packets can carry it, and again, the same
// token, when it was lost (§13.3).

import { EMPTY } from '../../base/bytes.ts'
import type { FrameSink } from '../../delivery/frame-sink.ts'
import { Once } from '../../delivery/once.ts'
import { TokenKind } from '../../delivery/token.ts'
import { hostOf } from '../../path/path-address.ts'
import { newTokenFrameSize, writeNewTokenFrame } from '../../wire/frames/new-token.ts'

/** Makes a token for the address `remote` at `now`, good for connections of the same QUIC version (RFC 9369 §5). */
export type TokenIssuer = (remote: string, version: number, now: number) => Uint8Array

export class NewToken {
  private readonly issuer: TokenIssuer | null
  private token: Uint8Array
  private said: Once
  /** The IP address that the last token was made for. */
  private host: string
  /** Tokens made so far: what happens to an older one means nothing any more. */
  private serial: number

  /** Without an issuer, as on every client, nothing is ever said. */
  constructor(issuer: TokenIssuer | null) {
    this.issuer = issuer
    this.token = EMPTY
    this.said = new Once()
    this.host = ''
    this.serial = 0
  }

  /** For a client whose address `remote` is validated. One token per connection and address: each lets a client begin one more. */
  issue(remote: string, version: number, now: number): void {
    if (this.issuer === null || this.said.requested) return
    this.host = hostOf(remote)
    this.serial += 1
    this.token = this.issuer(remote, version, now)
    this.said.request()
  }

  /** RFC 9000 §9.3: for a client with another address. What was said before may be lost: that address is left. */
  renew(remote: string, version: number, now: number): void {
    if (this.issuer === null || hostOf(remote) === this.host) return
    this.said = new Once()
    this.issue(remote, version, now)
  }

  wants(): boolean {
    return this.said.wants()
  }

  /** False: the packet is full. */
  write(sink: FrameSink): boolean {
    if (!this.said.wants()) return true
    if (sink.room() < newTokenFrameSize(this.token.length)) return false
    writeNewTokenFrame(sink.writer, this.token)
    sink.token(TokenKind.newToken, this.serial, 0, 0)
    this.said.written()
    return true
  }

  acked(serial: number): void {
    if (serial !== this.serial) return
    this.said.acked()
    this.token = EMPTY
  }

  lost(serial: number): void {
    if (serial === this.serial) this.said.lost()
  }
}
