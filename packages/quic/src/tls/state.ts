// The shape of a handshake state. A state consumes what it needs and gives the next; a message it does not name is answered
// with null, which the engine turns into unexpected_message. So there is no table of legal orders: the states are the table.

import type { EncryptionLevel } from '../wire/constants.ts'
import type { HandshakeMessage } from './codec/message.ts'
import type { TlsAnswer } from './events.ts'

/** Reads messages of one level. */
export interface ReadingState {
  readonly waiting: false
  /** For messages to people: what is awaited. */
  readonly name: string
  readonly level: EncryptionLevel
  onMessage(message: HandshakeMessage): HandshakeState | null
}

/** Rests until the owner answers a need; messages stay unread meanwhile. */
export interface WaitingState {
  readonly waiting: true
  readonly name: string
  readonly level: EncryptionLevel
  /** Null: this is not the answer that was asked for. */
  onAnswer(answer: TlsAnswer): HandshakeState | null
}

export type HandshakeState = ReadingState | WaitingState
