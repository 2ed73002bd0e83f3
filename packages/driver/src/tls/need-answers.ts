// Answers to what the TLS engine cannot do synchronously: RSA on a provider without node:crypto goes to WebCrypto, a key that is
// elsewhere to its signer, contexts and verdicts to the application. A failure is an answer too (invalid, no signature, no context,
// not welcome), so the handshake ends with the right alert instead of hanging.

import type { ClientHelloInfo, ServerContext, SignatureScheme, TlsAnswer, TlsNeed } from '@quicwire/quic'
import { externalSigner } from './external-key.ts'

export type Need = TlsNeed
type VerifyItem = Extract<Need, { need: 'verify' }>['items'][number]

/** The certificates of a peer that has proved to hold the leaf's key. */
export interface PeerCertificates {
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[]
  /** The name the client connects to. */
  readonly serverName: string | null
  readonly ocspResponse: Uint8Array | null
  readonly signedCertificateTimestamps: Uint8Array | null
}

/** What the application answers itself. */
export interface NeedHandlers {
  readonly selectContext?: ((hello: ClientHelloInfo) => ServerContext | null | Promise<ServerContext | null>) | undefined
  readonly verifyPeer?: ((peer: PeerCertificates) => string | null | Promise<string | null>) | undefined
}

interface RsaAlgorithm {
  readonly name: 'RSA-PSS' | 'RSASSA-PKCS1-v1_5'
  readonly hash: 'SHA-256' | 'SHA-384' | 'SHA-512'
  readonly saltLength: number
}

/** RFC 9846 §4.3.2.3; the salt of RSASSA-PSS is as long as the hash. */
const RSA_ALGORITHMS: ReadonlyMap<SignatureScheme, RsaAlgorithm> = new Map<SignatureScheme, RsaAlgorithm>([
  [0x0401, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', saltLength: 0 }],
  [0x0501, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384', saltLength: 0 }],
  [0x0601, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512', saltLength: 0 }],
  [0x0804, { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 }],
  [0x0805, { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 }],
  [0x0806, { name: 'RSA-PSS', hash: 'SHA-512', saltLength: 64 }],
])

/** WebCrypto wants bytes that are surely not shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

async function verifyOne(item: VerifyItem): Promise<boolean> {
  const algorithm = RSA_ALGORITHMS.get(item.scheme)
  if (algorithm === undefined) return false
  try {
    const parameters = { name: algorithm.name, hash: algorithm.hash }
    const key = await crypto.subtle.importKey('spki', owned(item.spki), parameters, false, ['verify'])
    return await crypto.subtle.verify(
      { name: algorithm.name, saltLength: algorithm.saltLength },
      key,
      owned(item.signature),
      owned(item.message),
    )
  } catch {
    return false
  }
}

async function sign(need: Extract<Need, { need: 'sign' }>): Promise<Uint8Array | null> {
  const external = externalSigner(need.key)
  try {
    if (external !== null) return await external(need.scheme, need.message)
    const algorithm = RSA_ALGORITHMS.get(need.scheme)
    const pkcs8 = need.key.pkcs8
    if (algorithm === undefined || pkcs8 === null) return null
    const parameters = { name: algorithm.name, hash: algorithm.hash }
    const key = await crypto.subtle.importKey('pkcs8', owned(pkcs8), parameters, false, ['sign'])
    return new Uint8Array(await crypto.subtle.sign({ name: algorithm.name, saltLength: algorithm.saltLength }, key, owned(need.message)))
  } catch {
    return null
  }
}

async function context(hello: ClientHelloInfo, { selectContext }: NeedHandlers): Promise<ServerContext | null> {
  try {
    return (await selectContext?.(hello)) ?? null
  } catch (error) {
    warn(error)
    return null
  }
}

async function refusal(peer: PeerCertificates, { verifyPeer }: NeedHandlers): Promise<string | null> {
  if (verifyPeer === undefined) return 'nobody is there to judge the peer'
  try {
    return await verifyPeer(peer)
  } catch (error) {
    warn(error)
    return 'the check of the peer failed'
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'QuicwireTls')
}

/** Never rejects. */
export async function answerNeed(need: Need, handlers: NeedHandlers): Promise<TlsAnswer> {
  switch (need.need) {
    case 'sign':
      return { need: 'sign', signature: await sign(need) }
    case 'verify':
      return { need: 'verify', valid: await Promise.all(need.items.map(verifyOne)) }
    case 'context':
      return { need: 'context', context: await context(need.hello, handlers) }
    case 'peer':
      return { need: 'peer', refusal: await refusal(need, handlers) }
  }
}
