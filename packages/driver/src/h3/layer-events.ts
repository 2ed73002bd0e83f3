// Events of the HTTP/3 layer by name.

import type { H3Event } from '@quicwire/h3'

export type HeadersEvent = Extract<H3Event, { kind: 'headers' }>
