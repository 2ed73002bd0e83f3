// Root certificates of this machine: those that Node trusts, or the operating system's own store.

import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'
import { TrustAnchors } from '@quicwire/quic'
import { OptionError } from '../errors.ts'
import { certificatesFrom } from './certificate-input.ts'

/**
 * `node`: what node:tls trusts: the roots Node carries, and where it can tell (Node 22.15, 23.10) NODE_EXTRA_CA_CERTS and --use-system-ca.
 * `system`: the operating system's store and nothing else.
 */
export type RootsOption = 'node' | 'system'

/** Where systems without an interface for it keep their store as one PEM file: Debian and Alpine, Fedora, OpenSUSE, the BSDs and macOS. */
const BUNDLES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

const kept = new Map<RootsOption, TrustAnchors>()

/** Read once in a process, as Node does. Throws OptionError when this system's store cannot be read. */
export function machineRoots(option: RootsOption): TrustAnchors {
  let anchors = kept.get(option)
  if (anchors === undefined) {
    anchors = TrustAnchors.from(certificatesFrom(machineCertificates(option)))
    kept.set(option, anchors)
  }
  return anchors
}

/** PEM, one certificate or more each. */
export function machineCertificates(option: RootsOption): readonly string[] {
  if (option === 'node') return fromNode('default') ?? tls.rootCertificates
  if (option !== 'system') throw new OptionError(`tls.roots: '${String(option)}' is neither 'node' nor 'system'`)
  const found = fromNode('system')
  return found !== null && found.length > 0 ? found : [systemBundle([...bundleFromEnvironment(), ...BUNDLES])]
}

function fromNode(type: 'default' | 'system'): readonly string[] | null {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default' | 'system') => readonly string[] }
  return getCACertificates === undefined ? null : getCACertificates(type)
}

/** OpenSSL's own way to say where the store is. */
function bundleFromEnvironment(): readonly string[] {
  const file = process.env['SSL_CERT_FILE']
  return file === undefined || file === '' ? [] : [file]
}

/** The first of the files that can be read. */
export function systemBundle(files: readonly string[]): string {
  for (const file of files) {
    try {
      return readFileSync(file, 'latin1')
    } catch {
      // The next system's place.
    }
  }
  throw new OptionError(
    `tls.roots: the certificate store of this system cannot be read with Node ${process.versions.node} (none of ${files.join(', ')}); give tls.ca, or use Node 22.15 or newer`,
  )
}
