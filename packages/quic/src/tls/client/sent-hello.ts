// A ClientHello that is out: what it offered, the private halves of its key shares, and the session it wants to resume.

import type { CipherSuiteInfo, KeyExchange } from '../../crypto/provider.ts'
import type { ClientOffer } from '../codec/client-hello.ts'
import type { StoredSession } from '../resumption/session-store.ts'
import type { EarlySchedule } from '../schedule/key-schedule.ts'

export interface OfferedSession {
  readonly session: StoredSession
  /** The suite of the session: its hash is that of the pre-shared key. */
  readonly suite: CipherSuiteInfo
  readonly schedule: EarlySchedule
}

export interface SentHello {
  readonly offer: ClientOffer
  readonly exchanges: readonly KeyExchange[]
  readonly offered: OfferedSession | null
}
