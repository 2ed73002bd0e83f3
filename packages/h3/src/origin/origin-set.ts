/**
 * The Origin Set of a client's connection (RFC 8336 §2.3): the origins the server would like this connection to be used for. It says
 * nothing of whether the server's certificate is good for them: that the client checks as ever.
 */

/** Most origins kept; RFC 8336 §4 warns of servers that send without end. */
export const MAX_ORIGIN_SET = 1024

export class OriginSet {
  private readonly initial: string | null
  private origins: Set<string> | null

  /** `initial`: https, the name sent in SNI in lower case, the port; null when the owner has not said it. */
  constructor(initial: string | null) {
    this.initial = initial
    this.origins = null
  }

  /** Null while no ORIGIN frame has come: the set is uninitialised and restricts nothing. */
  list(): readonly string[] | null {
    return this.origins === null ? null : [...this.origins]
  }

  add(origins: readonly string[]): void {
    if (this.origins === null) this.origins = new Set(this.initial === null ? [] : [this.initial])
    for (const origin of origins) if (this.origins.size < MAX_ORIGIN_SET) this.origins.add(origin)
  }

  /** RFC 8336 §2.3: after a 421 (Misdirected Request) the request's origin is no member any more. */
  remove(origin: string): void {
    this.origins?.delete(origin)
  }
}
