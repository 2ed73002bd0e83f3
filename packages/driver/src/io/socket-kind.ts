// Which kind of UDP socket is bound where none is given: a name from the option or QUICWIRE_SOCKET.

import { OptionError } from '../errors.ts'
import type { DatagramSocket } from './datagram-socket.ts'
import { DgramSocket, type DgramSocketOptions } from './dgram-socket.ts'
import { FfiSocket } from './ffi/ffi-socket.ts'

/** `dgram`: node:dgram, everywhere. `ffi`: the system's calls through node:ffi, with ECN and DF, where ffiSupport() says so. */
export type SocketKind = 'dgram' | 'ffi'

/** Rejects with SocketError, or OptionError for a kind there is not. */
export async function bindUdpSocket(kind: SocketKind | undefined, options: DgramSocketOptions): Promise<DatagramSocket> {
  const chosen = kind ?? (process.env['QUICWIRE_SOCKET'] || 'dgram')
  if (chosen === 'dgram') return DgramSocket.bind(options)
  if (chosen === 'ffi') return FfiSocket.bind(options)
  throw new OptionError(`unknown kind of socket "${chosen}": use "dgram" or "ffi"`)
}

/** The kind in an option that takes sockets as well. */
export function kindOf(option: unknown): SocketKind | undefined {
  return typeof option === 'string' ? (option as SocketKind) : undefined
}
