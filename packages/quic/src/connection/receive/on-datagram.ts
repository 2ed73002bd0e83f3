// DATAGRAM frames (RFC 9221 §4, §5): only within what we announced.

import { TransportErrorCode } from '../../wire/constants.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'

export function onDatagram(core: Pick<ConnectionCore, 'receiving' | 'settings' | 'datagrams' | 'events'>, type: number): void {
  const { datagram, reader } = core.receiving
  // RFC 9221 §3: the limit covers the whole frame; type and length fields take at least one byte.
  if (core.settings.maxDatagramFrameSize === 0 || datagram.dataLength + 1 > core.settings.maxDatagramFrameSize) {
    throw new TransportError(TransportErrorCode.protocolViolation, type, 'DATAGRAM frame larger than max_datagram_frame_size (RFC 9221 §3)')
  }
  core.datagrams.onDatagram(reader.buffer, datagram.dataStart, datagram.dataLength)
  if (core.datagrams.pollReadable()) core.events.push({ kind: 'datagram' })
}
