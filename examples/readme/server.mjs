import { serve } from 'quicwire'

const server = await serve({
  port: Number(process.env['PORT'] ?? 4433),
  handler: (request) => ({ status: 200, headers: [['content-type', 'text/plain']], body: `You asked for ${request.path}\n` }),
})
console.log(`${server.url} ${server.certificateSha256}`)

process.once('SIGINT', () => void server.close())
