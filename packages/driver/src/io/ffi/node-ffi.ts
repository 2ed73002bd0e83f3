// The part of node:ffi that is used here, declared because Node 20 has no such module and its types change. Addresses are bigint.

/** Types of arguments and results; narrower than what the module takes. */
export type NativeType = 'void' | 'int32' | 'uint32' | 'uint64' | 'pointer'

export interface Signature {
  readonly arguments: readonly NativeType[]
  readonly return: NativeType
}

export interface NativeLibrary {
  getFunction(name: string, signature: Signature): unknown
  /** The address of native code that calls `callback`, on the thread that made it. It must not throw: that ends the process. */
  registerCallback(signature: Signature, callback: (...values: never[]) => void): bigint
}

export interface NodeFfi {
  /** Of the process itself with null: the C library and libuv are there. */
  readonly DynamicLibrary: new (path: string | null) => NativeLibrary
  getRawPointer(source: ArrayBuffer): bigint
  /** With `copy` false a view of that memory. */
  toArrayBuffer(address: bigint, length: number, copy: boolean): ArrayBuffer
  /** Of this thread; since Node 26.6. */
  getCurrentEventLoop?(): bigint
}
