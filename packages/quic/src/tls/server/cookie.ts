// The cookie of a HelloRetryRequest: the hash of the first ClientHello and what was chosen from it, sealed. RFC 9846 §4.3.2.
// The connection itself remembers all this; the cookie proves that the second hello belongs to the first all the same.

import { EMPTY, concatBytes, equalConstantTime } from '../../base/bytes.ts'
import { TokenSeal } from '../../crypto/token-seal.ts'
import { Alert, alert } from '../alerts.ts'
import type { Handshake } from '../handshake.ts'

const COOKIE_PURPOSE = 4

/** Milliseconds a cookie is good for: no handshake takes longer. */
const LIFETIME = 60_000

/** Null: the configuration wants none. `helloHash`: of the first ClientHello. */
export function sealCookie({ config, provider, now }: Handshake, helloHash: Uint8Array, suite: number, group: number): Uint8Array | null {
  if (config.cookieKeys === undefined) return null
  return new TokenSeal(provider, config.cookieKeys).seal(COOKIE_PURPOSE, EMPTY, contentOf(helloHash, suite, group), now)
}

/** Throws unless `cookie` is what sealCookie() gave for the same hello, or null where it gave null. */
export function checkCookie({ config, provider, now }: Handshake, cookie: Uint8Array | null, helloHash: Uint8Array, suite: number, group: number): void {
  if (config.cookieKeys === undefined) {
    if (cookie !== null) throw alert(Alert.illegalParameter, 'a cookie that was not given')
    return
  }
  if (cookie === null) throw alert(Alert.missingExtension, 'the second ClientHello has no cookie')
  const opened = new TokenSeal(provider, config.cookieKeys).open(COOKIE_PURPOSE, EMPTY, cookie)
  const good = opened !== null && now - opened.issuedAt <= LIFETIME && equalConstantTime(opened.content, contentOf(helloHash, suite, group))
  if (!good) throw alert(Alert.illegalParameter, 'the cookie is not the one of the HelloRetryRequest')
}

function contentOf(helloHash: Uint8Array, suite: number, group: number): Uint8Array {
  return concatBytes(Uint8Array.of(suite >>> 8, suite, group >>> 8, group), helloHash)
}
