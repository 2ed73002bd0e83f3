/** The link cannot be what was asked for on this machine. */
export class LinkError extends Error {
  override readonly name: string = 'LinkError'
  readonly code: string = 'ERR_INTEROP_LINK'
}
