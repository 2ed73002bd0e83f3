// HTTP/3: streams of frames against a whole connection, and the payloads with a form of their own.

import { CapsuleReader, H3Error } from '@quicwire/h3'
import { parseDatagram } from '../../packages/h3/src/datagram/quarter-stream-id.ts'
import { parseDictionary, parseItem } from '../../packages/h3/src/headers/structured-fields.ts'
import { encodeOrigins, parseOrigins } from '../../packages/h3/src/origin/origin-frame.ts'
import { encodePriorityUpdate, parsePriorityUpdate, PriorityUpdate } from '../../packages/h3/src/priority/update.ts'
import { decodeRememberedSettings, encodeRememberedSettings } from '../../packages/h3/src/settings/early-data.ts'
import { encodeSettings, parseSettings, type Setting } from '../../packages/h3/src/wire/settings.ts'
import { GET, Lab, OK, ascii, dataFrame, frame, headersFrame } from '../../packages/h3/test/h3-pair.ts'
import { pieces, type Target } from '../target.ts'

const expected = (error: unknown): boolean => error instanceof H3Error
const never = (): boolean => false
const bytes = (...parts: readonly (readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat())
/** A short frame without its type and length. */
const payload = (whole: Uint8Array, header = 2): Uint8Array => whole.slice(header)
const latin1 = (input: Uint8Array): string => Array.from(input, (byte) => String.fromCharCode(byte)).join('')

const SETTINGS: readonly Setting[] = [
  [0x06, 16_384],
  [0x01, 4096],
  [0x07, 100],
  [0x33, 1],
]

/** What peer input does to a connection becomes an event: nothing at all is thrown. */
function connectionTarget(role: 'client' | 'server', corpus: readonly Uint8Array[], stream: 'request' | 'control' | 'unidirectional'): Target {
  return {
    name: `h3-${stream}-${role}`,
    corpus,
    expected: never,
    run(input, random) {
      const lab = new Lab(role)
      lab.run()
      let id = lab.control
      if (stream === 'unidirectional') id = lab.raw.openStream(false)
      else if (stream === 'request' && role === 'server') id = lab.raw.openStream(true)
      else if (stream === 'request') {
        id = lab.subject.h3.sendRequest(GET, true)
        lab.run()
      }
      for (const piece of pieces(input, random)) {
        if (!lab.raw.streams.has(id)) return
        lab.write(id, [...piece])
        lab.run()
      }
    },
  }
}

const post = headersFrame([[':method', 'POST'], ...GET.slice(1), ['content-length', '6'], ['priority', 'u=1, i']])
const requests = [
  bytes(headersFrame(GET)),
  bytes(post, dataFrame('abc'), frame(0x21, [1, 2]), dataFrame('def'), headersFrame([['x-sum', '1']])),
  bytes(headersFrame([...GET, ['x', 'z'.repeat(3000)]])),
]
const responses = [
  bytes(headersFrame([[':status', '103']]), headersFrame(OK), dataFrame('abc'), headersFrame([['x-sum', '1']])),
  bytes(headersFrame([[':status', '204']])),
]
const control = [
  bytes([...encodeSettings(SETTINGS)], frame(0x7, [8])),
  bytes(frame(0xf0700, [0, ...ascii('u=0')]), frame(0xd, [3]), frame(0xf0701, [0])),
  bytes([...encodeOrigins(['https://a.example'])], frame(0x3, [0]), frame(0x7, [0])),
]
const unidirectional = [
  bytes([0x02], [0x3f, 0xbd, 0x01, 0xc1, 0x03, 0x61, 0x62, 0x63]),
  bytes([0x03], [0x80, 0x01]),
  bytes([0x01], [0x00], frame(0x1, [0, 0, 0xd1])),
  bytes([0x21], [1, 2, 3]),
]

export const h3Targets: readonly Target[] = [
  connectionTarget('server', requests, 'request'),
  connectionTarget('client', responses, 'request'),
  connectionTarget('server', control, 'control'),
  connectionTarget('client', control, 'control'),
  connectionTarget('server', unidirectional, 'unidirectional'),
  {
    name: 'settings',
    corpus: [payload(encodeSettings(SETTINGS))],
    expected,
    run: (input) => void parseSettings(input, 0, input.length),
  },
  {
    name: 'remembered-settings',
    corpus: [encodeRememberedSettings(SETTINGS)],
    expected: never,
    run: (input) => void decodeRememberedSettings(input),
  },
  {
    name: 'origins',
    corpus: [payload(encodeOrigins(['https://a.example', 'https://b.example:8443']))],
    expected,
    run: (input) => void parseOrigins(input, 0, input.length),
  },
  {
    name: 'priority-update',
    corpus: [payload(encodePriorityUpdate(0, 'u=3, i'), 5), payload(encodePriorityUpdate(400, 'u=0'), 5)],
    expected,
    run: (input) => parsePriorityUpdate(input, 0, input.length, new PriorityUpdate()),
  },
  {
    name: 'http-datagram',
    corpus: [Uint8Array.of(0, 1, 2, 3), Uint8Array.of(0x40, 0x64, 9)],
    expected,
    run: (input) => void parseDatagram(input),
  },
  {
    name: 'capsules',
    corpus: [bytes(frame(0x00, [1, 2, 3]), frame(0x2843, [0, 0, 0, 1, 0x6f]), frame(0x78ae, [1]), frame(0x21, [])), bytes(frame(0x00, Array.from({ length: 300 }, () => 7)))],
    expected,
    run(input, random) {
      const reader = new CapsuleReader({ types: [0x00, 0x2843, 0x78ae], maxValueLength: 256 })
      for (const piece of pieces(input, random)) {
        reader.feed(piece)
        for (let next = reader.next(); next !== null; next = reader.next());
      }
      reader.finish()
    },
  },
  {
    name: 'structured-fields',
    corpus: ['u=1, i', 'a=(1 2 "x";y=?1);z=:AAEC:, b=1.5', '?1;a', '"text"', 'u=9;x=tok/en'].map((text) => Uint8Array.from(ascii(text))),
    expected: never,
    run(input) {
      parseDictionary(latin1(input))
      parseItem(latin1(input))
    },
  },
]
