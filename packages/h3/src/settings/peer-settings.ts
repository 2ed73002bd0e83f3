import type { WireValue } from '@quicwire/quic/varint'
import { connectionError } from '../errors.ts'
import type { Setting } from '../wire/settings.ts'
import { settingsConflict } from './early-data.ts'

/** What we know of the peer's settings (RFC 9114 §7.2.4.2): its SETTINGS, or until they come what is remembered for 0-RTT. */
export class PeerSettings {
  /** The peer's SETTINGS in its order; null before they have arrived. */
  received: readonly Setting[] | null
  private remembered: readonly Setting[] | null

  constructor(remembered: readonly Setting[] | null) {
    this.received = null
    this.remembered = remembered
  }

  /** Throws H3Error when they break what 0-RTT relied on. */
  onReceived(settings: readonly Setting[]): void {
    if (this.remembered !== null) {
      const conflict = settingsConflict(this.remembered, settings)
      if (conflict !== null) throw connectionError(conflict.code, conflict.reason)
    }
    this.received = settings
  }

  /** The server rejected 0-RTT: it is not bound to what was remembered, and until its SETTINGS come nothing is known. */
  forget(): void {
    this.remembered = null
  }

  /** Value of a setting, -1 when the peer has not sent it (yet). */
  value(id: WireValue): WireValue {
    const settings = this.received ?? this.remembered
    if (settings !== null) for (const setting of settings) if (setting[0] === id) return setting[1]
    return -1
  }
}
