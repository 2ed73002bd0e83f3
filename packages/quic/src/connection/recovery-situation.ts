// The loss detection timer's view of a connection (RFC 9002 §A.8): getters over the rooms, nothing stored.

import type { RecoverySituation, RecoverySlice } from '../recovery/pto.ts'
import type { ConnectionCore } from './core.ts'

type SituationContext = Pick<ConnectionCore, 'role' | 'spaces' | 'lifecycle' | 'handshake' | 'paths' | 'ackFrequency'>

export class ConnectionSituation implements RecoverySituation {
  private readonly core: SituationContext

  constructor(core: SituationContext) {
    this.core = core
  }

  get initial(): RecoverySlice | null {
    return this.core.spaces.initial === null ? null : this.core.spaces.initial.sent
  }

  get handshake(): RecoverySlice | null {
    return this.core.spaces.handshake === null ? null : this.core.spaces.handshake.sent
  }

  get application(): RecoverySlice | null {
    return this.core.spaces.application.sent
  }

  get hasHandshakeKeys(): boolean {
    return this.core.spaces.handshake !== null && this.core.spaces.handshake.canWrite()
  }

  get handshakeConfirmed(): boolean {
    return this.core.lifecycle.state === 'confirmed'
  }

  get peerCompletedAddressValidation(): boolean {
    return this.core.role === 'server' || this.core.handshake.peerAddressValidated
  }

  get handshakeDataPending(): boolean {
    const { initial, handshake } = this.core.spaces
    return (initial !== null && initial.crypto.wants()) || (handshake !== null && handshake.crypto.wants())
  }

  get amplificationBlocked(): boolean {
    return this.core.paths.active.nextDatagramSize() === 0
  }

  get maxAckDelay(): number {
    return this.core.ackFrequency.maxAckDelay
  }
}
