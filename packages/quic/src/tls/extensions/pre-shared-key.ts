// pre_shared_key and psk_key_exchange_modes. RFC 9846 §4.3.9, §4.3.11. The binders end the ClientHello that they sign the rest of.

import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16, vector8 } from '../codec/block.ts'
import type { BlockWriter } from '../codec/block.ts'

/** psk_dhe_ke: the only mode offered and taken, so every connection has forward secrecy. */
export const PSK_DHE_KE = 1

/** The one session a client of ours offers. */
export interface PskOffer {
  readonly identity: Uint8Array
  readonly obfuscatedAge: number
  /** Length of the hash. */
  readonly binderLength: number
}

export interface PskIdentity {
  readonly identity: Uint8Array
  readonly obfuscatedAge: number
}

export interface OfferedPsks {
  readonly identities: readonly PskIdentity[]
  readonly binders: readonly Uint8Array[]
  /** Bytes of the binders list with its length: what the binders do not cover. */
  readonly bindersLength: number
}

/** Bytes at the end of a ClientHello that are the binders list of one offer. */
export function bindersLengthOf(offer: PskOffer): number {
  return 2 + 1 + offer.binderLength
}

/** The binder stays zero until the rest of the message is there. */
export function writePskOffer(writer: BlockWriter, offer: PskOffer): void {
  const identities = writer.begin(2)
  writer.vector16(offer.identity)
  writer.u32(offer.obfuscatedAge)
  writer.end(identities, 2)
  const binders = writer.begin(2)
  writer.vector8(new Uint8Array(offer.binderLength))
  writer.end(binders, 2)
}

export function readOfferedPsks(body: Uint8Array): OfferedPsks {
  const reader = open(body)
  const identityList = open(vector16(reader))
  const bindersLength = reader.remaining
  const binderList = open(vector16(reader))
  finish(reader, 'pre_shared_key')
  const identities: PskIdentity[] = []
  while (!identityList.failed && identityList.remaining > 0) {
    const identity = vector16(identityList)
    const obfuscatedAge = identityList.u32()
    if (!identityList.failed && identity.length === 0) throw alert(Alert.decodeError, 'a pre-shared key identity is empty')
    identities.push({ identity, obfuscatedAge })
  }
  finish(identityList, 'the list of pre-shared key identities')
  const binders: Uint8Array[] = []
  while (!binderList.failed && binderList.remaining > 0) {
    const binder = vector8(binderList)
    if (!binderList.failed && binder.length < 32) throw alert(Alert.decodeError, `a binder is ${binder.length} bytes long`)
    binders.push(binder)
  }
  finish(binderList, 'the list of binders')
  if (identities.length === 0) throw alert(Alert.decodeError, 'pre_shared_key offers nothing')
  if (identities.length !== binders.length) throw alert(Alert.illegalParameter, 'pre_shared_key has not one binder per identity')
  return { identities, binders, bindersLength }
}

/** Numbers of modes; unknown ones are none of our business. */
export function readPskModes(body: Uint8Array): number[] {
  const reader = open(body)
  const modes = vector8(reader)
  finish(reader, 'psk_key_exchange_modes')
  if (modes.length === 0) throw alert(Alert.decodeError, 'psk_key_exchange_modes is empty')
  return [...modes]
}
