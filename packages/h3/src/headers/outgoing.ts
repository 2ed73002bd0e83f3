import { fieldSectionSize } from '@quicwire/qpack'
import type { WireValue } from '@quicwire/quic/varint'
import { H3StateError } from '../errors.ts'
import type { Header } from '../events.ts'
import { checkCapsuleResponse } from './capsule-head.ts'
import { MessageHead, checkTrailers } from './message-head.ts'
import { checkRequest } from './request-head.ts'
import { checkResponse } from './response-head.ts'

/** What we send is held to the rules for what we receive; a section that breaks them is a mistake of the caller: H3StateError. */

/** `peerExtendedConnect`: the server has sent SETTINGS_ENABLE_CONNECT_PROTOCOL = 1. */
export function checkOutgoingRequest(fields: readonly Header[], peerExtendedConnect: boolean): MessageHead {
  const head = new MessageHead()
  refuse(checkRequest(fields, true, head))
  if (head.protocol !== null && !peerExtendedConnect) {
    throw new H3StateError('H3_EXTENDED_CONNECT_DISABLED', 'the server has not enabled extended CONNECT (RFC 9220 §3)')
  }
  return head
}

/** `extendedConnect`: it answers an extended CONNECT request. */
export function checkOutgoingResponse(
  fields: readonly Header[],
  informational: boolean,
  fin: boolean,
  extendedConnect: boolean,
): MessageHead {
  const head = new MessageHead()
  refuse(checkResponse(fields, head))
  if (extendedConnect) refuse(checkCapsuleResponse(head))
  if (head.capsuleProtocol !== null && (head.status < 200 || head.status > 299)) {
    throw new H3StateError('H3_INVALID_FIELDS', `capsule-protocol in a response with :status ${head.status} (RFC 9297 §3.4)`)
  }
  if (informational !== head.status < 200) {
    throw new H3StateError('H3_INVALID_FIELDS', `:status ${head.status} with informational: ${informational}`)
  }
  if (informational && fin) throw new H3StateError('H3_MESSAGE_STATE', 'an interim response does not end the stream (RFC 9114 §4.1)')
  return head
}

export function checkOutgoingTrailers(fields: readonly Header[], request: boolean): void {
  refuse(checkTrailers(fields, request))
}

/** RFC 9114 §4.2.2: a section the peer has said it will refuse SHOULD NOT be sent. `limit` is -1 while there is none. */
export function checkOutgoingSize(fields: readonly Header[], limit: WireValue): void {
  if (limit === -1) return
  const size = fieldSectionSize(fields)
  if (size > limit) throw new H3StateError('H3_FIELD_SECTION_TOO_LARGE', `field section of ${size} bytes, the peer takes ${limit}`)
}

function refuse(reason: string | null): void {
  if (reason !== null) throw new H3StateError('H3_INVALID_FIELDS', reason)
}
