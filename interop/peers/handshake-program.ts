// Peers that make handshakes only, behind a program of their own with this command line; the client verifies our certificate against the
// case's own:
//
//   PROGRAM serve PORT CERTIFICATE KEY GROUPS [CLIENT_AUTHORITY]         GROUPS with colons between, '-' for all
//   PROGRAM visit PORT AUTHORITY CONNECTIONS [CERTIFICATE KEY]

import { join } from 'node:path'
import { Child, ProcessError, lastLine, quoted } from '../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../process/quic-port.ts'
import { serverOf, type TlsPeer } from './peer.ts'

/** `groupName`: what the program calls a group. */
export function handshakeProgram(name: string, program: string, groupName: (group: string) => string): TlsPeer {
  return {
    groups: ['x25519mlkem768'],
    withoutHttp: true,

    async serve(_root, wish, files) {
      const port = await freeUdpPort()
      const groups = wish.groups === null ? '-' : wish.groups.map(groupName).join(':')
      const authority = wish.clientAuthority === null ? [] : [wish.clientAuthority]
      const server = await Child.start(program, ['serve', String(port), files.certificate, files.key, groups, ...authority], {
        name: `${name} server`,
        logFile: join(files.logDirectory, `${name}-server.log`),
      })
      await waitForQuicServer(server, port, 10_000)
      return serverOf(server, port)
    },

    async visit(port, _name, { connections, identity }, files, timeoutMs) {
      const shown = identity === null ? [] : [identity.certificate, identity.key]
      const client = await Child.start(program, ['visit', String(port), files.certificate, String(connections), ...shown], {
        name: `${name} client`,
        logFile: join(files.logDirectory, `${name}-client.log`),
      })
      const { code, signal } = await client.finish(timeoutMs)
      if (code !== 0) throw new ProcessError(`${name} client ended with ${code ?? signal}${quoted(lastLine(client.output()))}`)
    },
  }
}
