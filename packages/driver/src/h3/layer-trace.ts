// The HTTP/3 events of a connection's qlog, written into the trace that the transport writes.

import { H3QlogTrace } from '@quicwire/h3'
import { QlogTrace } from '@quicwire/quic/qlog'
import type { ApplicationContext } from '../app/application.ts'

/** Null where nothing is traced, or not as qlog. */
export function layerTrace(context: ApplicationContext): H3QlogTrace | null {
  const { trace } = context.connection
  return trace instanceof QlogTrace ? new H3QlogTrace(trace, () => context.now) : null
}
