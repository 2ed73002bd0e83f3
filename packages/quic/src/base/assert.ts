/** A bug in this library: never caused by the peer alone and never to be caught and ignored. */
export class InvariantError extends Error {
  readonly code: string

  constructor(message: string) {
    super(`quicwire invariant broken: ${message}`)
    this.name = 'InvariantError'
    this.code = 'QUICWIRE_INVARIANT'
  }
}

/** Throws {@link InvariantError} when `condition` is false. Pass constant messages: they are evaluated on every call. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
