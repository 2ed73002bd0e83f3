// Run as a process of its own: connects to the port it is given, closes, and has nothing left that would keep it alive.

import { clientH3Driver, connect } from '../src/index.ts'

async function main(): Promise<void> {
  const { driver } = clientH3Driver()
  const connection = await connect({ host: '127.0.0.1', port: Number(process.argv[2]), tls: { insecure: true }, application: driver })
  process.stdout.write('established ')
  await connection.close()
  process.stdout.write('closed\n')
}

void main()
