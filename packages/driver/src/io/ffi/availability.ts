// Whether FfiSocket can be used here. It never is a requirement: every way of not having it is a reason, never a crash.

import { isMainThread } from 'node:worker_threads'
import { errnoView, loadLibc, type Libc } from './libc.ts'
import type { NativeLibrary, NodeFfi } from './node-ffi.ts'

/**
 * `platform`: not Linux on x86-64 or arm64. `node`: this Node has no node:ffi (before 26.1), or it was switched off. `permission`: the
 * permission model forbids it. `worker-thread`: only the main thread has it; a worker that is terminated with an open socket would
 * take the process along. `symbols`: this Node or C library lacks a function.
 */
export type FfiUnavailableReason = 'platform' | 'node' | 'permission' | 'worker-thread' | 'symbols'

export type FfiSupport = { readonly available: true } | { readonly available: false; readonly reason: FfiUnavailableReason; readonly cause?: unknown }

/** Everything native, found once. */
export interface Native {
  readonly ffi: NodeFfi
  readonly library: NativeLibrary
  readonly libc: Libc
  readonly errno: Int32Array
}

let found: (FfiSupport & { readonly native?: Native }) | null = null

/** Whether FfiSocket.bind() will work, and why not. Loads node:ffi, for which Node prints a warning: it is experimental. */
export function ffiSupport(): FfiSupport {
  return (found ??= find())
}

/** Null when ffiSupport() says no. */
export function native(): Native | null {
  ffiSupport()
  return found?.native ?? null
}

function find(): FfiSupport & { readonly native?: Native } {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return { available: false, reason: 'platform' }
  if (!isMainThread) return { available: false, reason: 'worker-thread' }
  try {
    const ffi = process.getBuiltinModule('node:ffi') as unknown as NodeFfi | undefined
    if (ffi === undefined) return { available: false, reason: 'node' }
    const library = new ffi.DynamicLibrary(null)
    const libc = loadLibc(library)
    return { available: true, native: { ffi, library, libc, errno: errnoView(ffi, libc) } }
  } catch (cause) {
    const denied = (cause as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED'
    return { available: false, reason: denied ? 'permission' : 'symbols', cause }
  }
}
