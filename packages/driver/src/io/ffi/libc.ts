// What is called of the C library and of libuv, both found in the process itself. One instance per process: its functions are those of
// the main thread. Numbers are Linux's, equal on x86-64 and arm64 and in every C library.

import { getSystemErrorName } from 'node:util'
import type { NativeLibrary, NativeType, NodeFfi } from './node-ffi.ts'

export const AF_INET = 2
export const AF_INET6 = 10
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
/** A datagram socket that does not block and is not inherited. */
export const SOCKET_TYPE: number = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC

export const SOL_SOCKET = 1
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_REUSEPORT = 15

export const SOL_IP = 0
export const IP_TOS = 1
export const IP_MTU_DISCOVER = 10
export const IP_RECVTOS = 13
/** Sets DF and does not look at the MTU that the system remembers for the route. */
export const PMTUDISC_PROBE = 3

export const SOL_IPV6 = 41
export const IPV6_MTU_DISCOVER = 23
export const IPV6_V6ONLY = 26
export const IPV6_DONTFRAG = 62
export const IPV6_RECVTCLASS = 66
export const IPV6_TCLASS = 67

export const SOL_UDP = 17
export const UDP_SEGMENT = 103
export const UDP_GRO = 104

export const MSG_DONTWAIT = 0x40

/** uv_handle_type of uv_poll_t. */
export const UV_POLL = 8
export const UV_READABLE = 1
export const UV_WRITABLE = 2

export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, name: bigint, length: number): number
  connect(fd: number, name: bigint, length: number): number
  getsockname(fd: number, name: bigint, length: bigint): number
  setsockopt(fd: number, level: number, option: number, value: bigint, length: number): number
  close(fd: number): number
  sendmmsg(fd: number, messages: bigint, count: number, flags: number): number
  recvmmsg(fd: number, messages: bigint, count: number, flags: number, timeout: bigint): number
  inet_pton(family: number, text: bigint, address: bigint): number
  inet_ntop(family: number, address: bigint, text: bigint, size: number): bigint
  if_nametoindex(name: bigint): number
  if_indextoname(index: number, name: bigint): bigint
  __errno_location(): bigint
  uv_default_loop(): bigint
  uv_handle_size(type: number): bigint
  uv_poll_init(loop: bigint, handle: bigint, fd: number): number
  uv_poll_start(handle: bigint, events: number, callback: bigint): number
  uv_unref(handle: bigint): void
  uv_close(handle: bigint, callback: bigint): void
}

const SIGNATURES: { readonly [name in keyof Libc]: readonly NativeType[] } = {
  socket: ['int32', 'int32', 'int32', 'int32'],
  bind: ['int32', 'int32', 'pointer', 'uint32'],
  connect: ['int32', 'int32', 'pointer', 'uint32'],
  getsockname: ['int32', 'int32', 'pointer', 'pointer'],
  setsockopt: ['int32', 'int32', 'int32', 'int32', 'pointer', 'uint32'],
  close: ['int32', 'int32'],
  sendmmsg: ['int32', 'int32', 'pointer', 'uint32', 'int32'],
  recvmmsg: ['int32', 'int32', 'pointer', 'uint32', 'int32', 'pointer'],
  inet_pton: ['int32', 'int32', 'pointer', 'pointer'],
  inet_ntop: ['pointer', 'int32', 'pointer', 'pointer', 'uint32'],
  if_nametoindex: ['uint32', 'pointer'],
  if_indextoname: ['pointer', 'uint32', 'pointer'],
  __errno_location: ['pointer'],
  uv_default_loop: ['pointer'],
  uv_handle_size: ['uint64', 'int32'],
  uv_poll_init: ['int32', 'pointer', 'pointer', 'int32'],
  uv_poll_start: ['int32', 'pointer', 'int32', 'pointer'],
  uv_unref: ['void', 'pointer'],
  uv_close: ['void', 'pointer', 'pointer'],
}

/** Throws when the process has one of them not. */
export function loadLibc(library: NativeLibrary): Libc {
  const functions = Object.entries(SIGNATURES).map(([name, [result, ...parameters]]) => {
    return [name, library.getFunction(name, { arguments: parameters, return: result ?? 'void' })] as const
  })
  return Object.fromEntries(functions) as unknown as Libc
}

/** A view of the thread's errno, to be read right after a call that failed: nothing of Node's runs in between. */
export function errnoView(ffi: NodeFfi, libc: Libc): Int32Array {
  return new Int32Array(ffi.toArrayBuffer(libc.__errno_location(), 4, false))
}

/** One name for each: EAGAIN, not its other name EWOULDBLOCK. */
export function errnoName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : `errno ${errno}`
}

/** The form of Node's own system errors. */
export function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = errnoName(errno)
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: -errno, syscall })
}
