// A UDP socket as the system knows it: made, set up and bound, with what it turned out to be able to do.

import { isIPv6 } from 'node:net'
import type { Native } from './availability.ts'
import {
  AF_INET,
  AF_INET6,
  IPV6_DONTFRAG,
  IPV6_MTU_DISCOVER,
  IPV6_RECVTCLASS,
  IPV6_V6ONLY,
  IP_MTU_DISCOVER,
  IP_RECVTOS,
  PMTUDISC_PROBE,
  SOCKET_TYPE,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_UDP,
  SO_RCVBUF,
  SO_REUSEPORT,
  SO_SNDBUF,
  UDP_GRO,
  UDP_SEGMENT,
  systemError,
} from './libc.ts'
import { KERNEL_BUFFER_SIZE } from '../dgram-socket.ts'
import { NativeMemory } from './native-memory.ts'
import type { SockaddrCodec } from './sockaddr.ts'

export interface DescriptorOptions {
  readonly address: string
  readonly port: number
  readonly remote?: { readonly address: string; readonly port: number } | undefined
  readonly ipv6Only?: boolean | undefined
  readonly reusePort?: boolean | undefined
}

export interface Descriptor {
  readonly fd: number
  readonly address: string
  readonly port: number
  readonly ecn: boolean
  readonly segmentation: boolean
}

const NAME_LENGTH = 32

/** Throws the system's error. */
export function openDescriptor(native: Native, codec: SockaddrCodec, options: DescriptorOptions): Descriptor {
  const { libc } = native
  const v6 = isIPv6(options.address)
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, SOCKET_TYPE, 0)
  if (fd < 0) throw systemError(native.errno[0]!, 'socket')
  try {
    const scratch = new NativeMemory(native.ffi, NAME_LENGTH + 4)
    const set = (level: number, option: number, value: number): boolean => {
      scratch.words[0] = value
      return libc.setsockopt(fd, level, option, scratch.pointer(), 4) === 0
    }
    if (v6) set(SOL_IPV6, IPV6_V6ONLY, options.ipv6Only === true ? 1 : 0)
    if (options.reusePort === true) set(SOL_SOCKET, SO_REUSEPORT, 1)
    name(native, codec, scratch, fd, 'bind', options)
    const abilities = setUp(set, v6)
    if (options.remote !== undefined) name(native, codec, scratch, fd, 'connect', options.remote)
    scratch.words[NAME_LENGTH >> 2] = NAME_LENGTH
    if (libc.getsockname(fd, scratch.pointer(), scratch.pointer(NAME_LENGTH)) !== 0) throw systemError(native.errno[0]!, 'getsockname')
    return { fd, ...codec.decode(scratch, 0), ...abilities }
  } catch (error) {
    libc.close(fd)
    throw error
  }
}

function setUp(set: (level: number, option: number, value: number) => boolean, v6: boolean): Pick<Descriptor, 'ecn' | 'segmentation'> {
  set(SOL_SOCKET, SO_RCVBUF, KERNEL_BUFFER_SIZE)
  set(SOL_SOCKET, SO_SNDBUF, KERNEL_BUFFER_SIZE)
  // An IPv6 socket carries IPv4 too, whose options are its own.
  set(SOL_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
  const v4Marks = set(SOL_IP, IP_RECVTOS, 1)
  let v6Marks = true
  if (v6) {
    set(SOL_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
    set(SOL_IPV6, IPV6_DONTFRAG, 1)
    v6Marks = set(SOL_IPV6, IPV6_RECVTCLASS, 1)
  }
  set(SOL_UDP, UDP_GRO, 1)
  // Zero changes nothing and says whether the kernel knows the option (Linux 4.18).
  return { ecn: v4Marks && v6Marks, segmentation: set(SOL_UDP, UDP_SEGMENT, 0) }
}

function name(
  { libc, errno }: Native,
  codec: SockaddrCodec,
  scratch: NativeMemory,
  fd: number,
  call: 'bind' | 'connect',
  { address, port }: { readonly address: string; readonly port: number },
): void {
  const bytes = codec.encode(address, port)
  scratch.bytes.set(bytes)
  if (libc[call](fd, scratch.pointer(), bytes.length) !== 0) throw systemError(errno[0]!, call)
}
