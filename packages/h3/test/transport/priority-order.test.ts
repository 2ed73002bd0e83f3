import { describe, expect, it } from 'vitest'
import { Endpoint, GET, OK } from '../h3-pair.ts'
import { quicPair } from './quic-pair.ts'

// RFC 9218 over quic's Connection: what the client says decides which bytes go first.

const LENGTH = 400_000

/** Two requests, `first` and `second`, whose responses are both under way; the second overtakes or not. */
function answers(first: string | null, second: string | null): { client: Endpoint; run(done: () => boolean): void } {
  const pair = quicPair({ sendBufferLimit: 2 * LENGTH })
  const client = new Endpoint(pair.client.connection, 'client', pair.client, {})
  const server = new Endpoint(pair.server.connection, 'server', pair.server, {})
  for (const [endpoint, side] of [[client, pair.client], [server, pair.server]] as const) {
    side.listener = (event) => {
      endpoint.h3.onStreamEvent(event)
      endpoint.poll()
    }
  }
  const run = (done: () => boolean): void => {
    for (let step = 0; !done(); step++) {
      if (step > 5000) throw new Error('it does not come about')
      pair.network.runFor(1)
      client.step()
      server.step()
    }
  }
  client.h3.start()
  server.h3.start()
  for (const priority of [first, second]) client.h3.sendRequest(priority === null ? GET : [...GET, ['priority', priority]], true)
  run(() => server.of('headers').length === 2)
  for (const id of [0, 4]) {
    server.h3.sendHeaders(id, OK, { fin: false })
    expect(server.h3.sendBody(id, new Uint8Array(LENGTH), true)).toBe(LENGTH)
  }
  run(() => client.bodies.size > 0)
  return { client, run }
}

/** The requests in the order in which their responses were whole. */
function order({ client, run }: ReturnType<typeof answers>): number[] {
  run(() => client.of('finished').length === 2)
  for (const id of [0, 4]) expect(client.bodies.get(id)?.length).toBe(LENGTH)
  return client.of('finished').map((event) => event.streamId)
}

describe('the order of two responses (RFC 9218 §10)', () => {
  it.each<[string, string | null, string | null, number[]]>([
    ['of the same urgency is that of the requests', null, null, [0, 4]],
    ['is that of their urgency', 'u=5', 'u=1', [4, 0]],
  ])('%s', (_, first, second, expected) => {
    expect(order(answers(first, second))).toEqual(expected)
  })
  it('changes with PRIORITY_UPDATE while they are under way (§7)', () => {
    const both = answers(null, null)
    expect([...both.client.bodies.keys()]).toEqual([0])
    both.client.h3.setPriority(4, 0, false)
    expect(order(both)).toEqual([4, 0])
  })
  it('is shared when they are incremental: neither waits for the other', () => {
    const both = answers('i', 'i')
    both.run(() => both.client.of('finished').length === 1)
    const sizes = [0, 4].map((id) => both.client.bodies.get(id)?.length ?? 0)
    expect(Math.min(...sizes)).toBeGreaterThan(LENGTH / 2)
  })
})
