// When a descriptor can be read or written: uv_poll_t of the event loop that Node itself runs. It watches and does not read, so that the
// marks of datagrams are still there for recvmmsg. Two native callbacks serve all sockets and stay for good: none is ever freed early.

import { native, type Native } from './availability.ts'
import { UV_POLL, UV_READABLE, UV_WRITABLE } from './libc.ts'
import { NativeMemory } from './native-memory.ts'

export interface ReadinessListener {
  /** Must not throw. With neither the descriptor has an error to be read. */
  onReady(readable: boolean, writable: boolean): void
}

interface Callbacks {
  readonly poll: bigint
  readonly close: bigint
}

/** By address of the handle; they keep its memory alive until libuv has let go of it. */
const watches: Map<bigint, Readiness> = new Map()
let callbacks: Callbacks | null = null
let settling = false

/** Node runs promises and ticks after its own callbacks, not after these: an empty one of its own follows. */
function settle(): void {
  if (settling) return
  settling = true
  setImmediate(settled)
}

function settled(): void {
  settling = false
}

function register({ library }: Native): Callbacks {
  return {
    poll: library.registerCallback({ arguments: ['pointer', 'int32', 'int32'], return: 'void' }, (handle: bigint, status: number, events: number) => {
      watches.get(handle)?.onPoll(status, events)
    }),
    close: library.registerCallback({ arguments: ['pointer'], return: 'void' }, (handle: bigint) => {
      watches.get(handle)?.onClose()
    }),
  }
}

export class Readiness {
  private readonly native: Native
  private readonly callbacks: Callbacks
  private readonly memory: NativeMemory
  private readonly handle: bigint
  private readonly listener: ReadinessListener
  private events: number
  private closed: (() => void) | null
  private closing: boolean

  /** Throws for a descriptor that cannot be watched. */
  constructor(from: Native, fd: number, listener: ReadinessListener) {
    const { ffi, libc } = from
    this.native = from
    this.callbacks = callbacks ??= register(from)
    this.memory = new NativeMemory(ffi, (Number(libc.uv_handle_size(UV_POLL)) + 7) & ~7)
    this.handle = this.memory.pointer()
    this.listener = listener
    this.events = 0
    this.closed = null
    this.closing = false
    // Before Node 26.6 the loop of the main thread goes by this name alone.
    const loop = ffi.getCurrentEventLoop?.() ?? libc.uv_default_loop()
    const status = libc.uv_poll_init(loop, this.handle, fd)
    if (status !== 0) throw new Error(`uv_poll_init ${status}`)
    watches.set(this.handle, this)
  }

  watch(readable: boolean, writable: boolean): void {
    if (this.closing) return
    this.events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0)
    this.native.libc.uv_poll_start(this.handle, this.events, this.callbacks.poll)
  }

  unref(): void {
    if (!this.closing) this.native.libc.uv_unref(this.handle)
  }

  /** Afterwards the descriptor may be closed at once. Resolves when libuv is done. */
  close(): Promise<void> {
    this.closing = true
    this.native.libc.uv_close(this.handle, this.callbacks.close)
    return new Promise((resolve) => {
      this.closed = resolve
    })
  }

  onPoll(status: number, events: number): void {
    try {
      this.listener.onReady((events & UV_READABLE) !== 0, (events & UV_WRITABLE) !== 0)
    } catch (error) {
      // An exception in a native callback ends the process without a word.
      queueMicrotask(() => {
        throw error
      })
    }
    settle()
    // libuv stops watching a descriptor with an error; reading has taken it off.
    if (status !== 0 && !this.closing) this.native.libc.uv_poll_start(this.handle, this.events, this.callbacks.poll)
  }

  onClose(): void {
    watches.delete(this.handle)
    this.closed?.()
    settle()
  }
}

/** For tests: handles libuv still has. */
export function watchedDescriptors(): number {
  return native() === null ? 0 : watches.size
}
