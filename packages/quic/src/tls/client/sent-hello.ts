// A ClientHello that is out, and the private half of its one key share.

import type { KeyExchange } from '../../crypto/provider.ts'
import type { ClientOffer } from '../codec/client-hello.ts'

export interface SentHello {
  readonly offer: ClientOffer
  readonly exchange: KeyExchange
}
