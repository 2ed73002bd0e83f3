// signed_certificate_timestamp: an empty body asks, a SignedCertificateTimestampList answers. RFC 6962 §3.3.1. Its form is checked;
// what the logs signed is for whoever asked for it.

import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16 } from '../codec/block.ts'

export function readTimestampRequest(body: Uint8Array): void {
  if (body.length !== 0) throw alert(Alert.decodeError, 'a request for certificate timestamps is not empty')
}

/** Gives `body` back when it is a list of at least one. */
export function readTimestamps(body: Uint8Array): Uint8Array {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'the list of certificate timestamps')
  let count = 0
  while (!list.failed && list.remaining > 0) {
    if (vector16(list).length === 0) throw alert(Alert.decodeError, 'a certificate timestamp is empty')
    count++
  }
  finish(list, 'the list of certificate timestamps')
  if (count === 0) throw alert(Alert.decodeError, 'the list of certificate timestamps is empty')
  return body
}
