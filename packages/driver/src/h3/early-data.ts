// HTTP/3 and 0-RTT (RFC 9114 §7.2.4.2): a server's tickets say which SETTINGS early data will rely on, and it takes none that rely on
// others than it sends now.

import { H3Connection, acceptsEarlyData, decodeRememberedSettings, encodeRememberedSettings, type H3Transport } from '@quicwire/h3'
import { resolveHttp3Settings, type Http3Settings } from '../settings/http3-settings.ts'

/** What a listener seals into tickets, and its verdict on early data that comes with one. */
export interface EarlyDataPolicy {
  /** At most 4000 bytes. */
  readonly context: Uint8Array
  /** Given the context of the ticket. Must not throw. */
  readonly accept: (context: Uint8Array) => boolean
}

/** A transport on which nothing can be opened. */
const NOWHERE: H3Transport = {
  openStream: () => -1,
  streamWrite: () => -1,
  streamCapacity: () => -1,
  streamPeek: () => null,
  streamConsume: () => undefined,
  streamReceiveState: () => 0,
  streamResetCode: () => -1,
  streamStopCode: () => -1,
  streamReset: () => undefined,
  streamStop: () => undefined,
  streamSetPriority: () => undefined,
  streamsLeft: () => 0,
  peerStreamLimit: () => 0,
  datagramSend: () => false,
  datagramReceive: () => null,
  datagramMaxSize: () => 0,
}

/** The policy of a listener whose connections run serverH3Driver() with these settings. */
export function http3EarlyData(settings: Http3Settings = {}): EarlyDataPolicy {
  const layer = new H3Connection(NOWHERE, 'server', { ...resolveHttp3Settings(settings).h3, grease: false })
  layer.start()
  const current = layer.localSettings()
  return {
    context: encodeRememberedSettings(current),
    accept: (context) => acceptsEarlyData(decodeRememberedSettings(context), current),
  }
}
