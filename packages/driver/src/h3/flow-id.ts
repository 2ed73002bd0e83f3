// Which datagram flow a request makes: RFC 9298 and RFC 9220 extended CONNECT by quarter stream id (RFC 9297 §2.1), or the id that
// draft-ietf-masque-connect-udp-03 carried in a header.

import type { Header } from '@quicwire/h3'

/** The flow id, or -1 when the request makes none. Names are matched exactly, in any order of fields. */
export function flowIdOf(headers: readonly Header[], streamId: number): number {
  let method = ''
  let hasProtocol = false
  let draftFlow = -1
  for (const [name, value] of headers) {
    if (name === ':method') method = value
    else if (name === ':protocol') hasProtocol = true
    else if (name === 'datagram-flow-id') draftFlow = decimal(value)
  }
  if (method === 'CONNECT-UDP' && draftFlow >= 0) return draftFlow
  return method === 'CONNECT' && hasProtocol ? streamId / 4 : -1
}

function decimal(text: string): number {
  if (!/^[0-9]{1,16}$/.test(text)) return -1
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : -1
}
