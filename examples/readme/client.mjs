import { request } from 'quicwire'

// The server's development certificate is known to nobody: `insecure` accepts it. Leave it out on the internet.
const response = await request(process.argv[2] ?? 'https://localhost:4433/hello', { insecure: true })
console.log(response.status, await response.text())
