import { appendixA } from './appendix-a.ts'

appendixA({
  standard: 'RFC 9001',
  folder: 'rfc9001-a',
  version: 1,
  initialSalt: '38762cf7f55934b34d179ae6a4c80cadccbb7f0a',
  labelPrefix: 'quic',
})
