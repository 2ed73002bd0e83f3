// Trust anchors, found by name and decoded when they are asked for: a system store has hundreds, a connection needs one.
// A certificate among them is trusted as it stands: it may also be a leaf.

import { equalBytes, fromHex, toHex } from '../../base/bytes.ts'
import { DerTag, derElement } from '../../crypto/der.ts'
import { CertificateError, TlsUsageError } from '../errors.ts'
import { readCertificateNames } from './distinguished-names.ts'
import { parseCertificate } from './parse.ts'
import type { ParsedCertificate } from './parse.ts'

interface Anchor {
  readonly der: Uint8Array
  /** Undefined: not decoded yet; null: cannot be decoded. */
  parsed: ParsedCertificate | null | undefined
}

export class TrustAnchors {
  readonly #bySubject: Map<string, Anchor[]>

  private constructor(bySubject: Map<string, Anchor[]>) {
    this.#bySubject = bySubject
  }

  /**
   * Takes DER certificates. Keep the result when it is used for more than one connection. Unreadable ones are left out, as
   * system stores have some, and those that are there twice; throws TlsUsageError when every one of them is unreadable.
   */
  static from(roots: readonly Uint8Array[]): TrustAnchors {
    const bySubject = new Map<string, Anchor[]>()
    for (const der of roots) {
      const names = readCertificateNames(der)
      if (names === null) continue
      const subject = toHex(names.subject)
      const same = bySubject.get(subject)
      if (same === undefined) bySubject.set(subject, [{ der, parsed: undefined }])
      else if (!same.some((anchor) => equalBytes(anchor.der, der))) same.push({ der, parsed: undefined })
    }
    if (roots.length > 0 && bySubject.size === 0) throw new TlsUsageError('none of the roots is a certificate in DER')
    return new TrustAnchors(bySubject)
  }

  named(subject: Uint8Array): readonly ParsedCertificate[] {
    const found: ParsedCertificate[] = []
    for (const anchor of this.#bySubject.get(toHex(subject)) ?? []) {
      const parsed = decodeOnce(anchor)
      if (parsed !== null) found.push(parsed)
    }
    return found
  }

  /** Their distinguished names, in DER. */
  subjects(): Uint8Array[] {
    return [...this.#bySubject.keys()].map((subject) => derElement(DerTag.sequence, fromHex(subject)))
  }

  has(certificate: ParsedCertificate): boolean {
    const same = this.#bySubject.get(toHex(certificate.subject)) ?? []
    return same.some(({ der }) => equalBytes(der, certificate.der))
  }
}

function decodeOnce(anchor: Anchor): ParsedCertificate | null {
  if (anchor.parsed !== undefined) return anchor.parsed
  try {
    anchor.parsed = parseCertificate(anchor.der, 'a root certificate')
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    anchor.parsed = null
  }
  return anchor.parsed
}
