import { appendixA } from './appendix-a.ts'

appendixA({
  standard: 'RFC 9369',
  folder: 'rfc9369-a',
  version: 0x6b3343cf,
  initialSalt: '0dede3def700a6db819381be6e269dcbf9bd2ed9',
  labelPrefix: 'quicv2',
})
