// Messages on their way whose extensions are changed.

import { rewrite, type Hand } from './handshake.ts'
import { changeExtensions, helloExtensions, type Change } from './hello-extensions.ts'

export function clientHello(change: Change): Hand {
  return rewrite('client', 1, (body) => changeExtensions(body, helloExtensions(body), change))
}

export function serverHello(change: Change): Hand {
  return rewrite('server', 2, (body) => changeExtensions(body, 38, change))
}

export function encryptedExtensions(change: Change): Hand {
  return rewrite('server', 8, (body) => changeExtensions(body, 0, change))
}
