// CONNECTION_CLOSE (RFC 9000 §10.2.2, §19.19): drain; nothing is sent any more.

import { readConnectionCloseFrame } from '../../wire/frames/close.ts'
import type { ConnectionCore } from '../core.ts'
import { closedEvent, drainPeriod } from '../ending.ts'

export function onClose(core: ConnectionCore, type: number, now: number): void {
  const { reader, close: frame } = core.receiving
  readConnectionCloseFrame(reader, type, frame)
  const reason = {
    cause: 'peer',
    application: frame.application,
    code: frame.errorCode,
    frameType: frame.frameType,
    reason: frame.reason,
    error: null,
  } as const
  if (core.lifecycle.drain(reason, now, drainPeriod(core))) closedEvent(core, reason, now)
}
