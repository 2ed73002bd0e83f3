// Certificates and keys from files, with errors that name the file.

import { readFile } from 'node:fs/promises'

export class CertificateFileError extends Error {
  override readonly name: string = 'CertificateFileError'
  readonly code: string = 'QUICWIRE_BAD_CERTIFICATE_FILE'
}

/** A PEM file's text. `label` is what follows BEGIN, such as CERTIFICATE; the error says which file and why. */
export async function readPemFile(path: string, what: string, label: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new CertificateFileError(`cannot read ${what} ${path}: ${reasonOf(error as NodeJS.ErrnoException)}`, { cause: error })
  }
  if (!new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(text)) throw new CertificateFileError(`${what} ${path} holds no PEM block ${label}`)
  return text
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such file'
  if (error.code === 'EACCES') return 'permission denied'
  if (error.code === 'EISDIR') return 'it is a directory'
  return error.message
}
