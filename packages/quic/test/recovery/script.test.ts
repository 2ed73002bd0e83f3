import { describe, expect, it } from 'vitest'
import { NewReno } from '../../src/congestion/new-reno.ts'
import { ScriptedSender } from './script.ts'

function run(script: string): string {
  return new ScriptedSender(new NewReno(1200)).run(script)
}

describe('recovery by script: RFC 9002 as a whole', () => {
  it('slow start, losses by both thresholds, one recovery period, a spurious loss', () => {
    expect(
      run(`
        0 send 10
        100 ack 0-9
        100 send 20
        200 ack 29,22-27,10-18
        timer
        214 ack 20-27,29,10-18
        215 send 2
        315 ack 30-31
      `),
    ).toMatchInlineSnapshot(`
      "
      0 send 0-9 | slow_start cwnd 12000 ssthresh Infinity inflight 12000 srtt 333 var 166.5 | probe 1024 pto 0
      100 acked 10 | slow_start cwnd 24000 ssthresh Infinity inflight 0 srtt 100 var 50 | none Infinity pto 0
      100 send 10-29 | slow_start cwnd 24000 ssthresh Infinity inflight 24000 srtt 100 var 50 | probe 425 pto 0
      200 acked 16 lost 19,20,21 | recovery cwnd 12000 ssthresh 12000 inflight 1200 srtt 100 var 37.5 | lossTime 212.5 pto 0
      212.5 loss timer lost 28 | recovery cwnd 12000 ssthresh 12000 inflight 0 srtt 100 var 37.5 | none Infinity pto 0
      214 acked 0 spurious 20,21 | recovery cwnd 12000 ssthresh 12000 inflight 0 srtt 100 var 37.5 | none Infinity pto 0
      215 send 30-31 | recovery cwnd 12000 ssthresh 12000 inflight 2400 srtt 100 var 37.5 | probe 490 pto 0
      315 acked 2 | congestion_avoidance cwnd 12000 ssthresh 12000 inflight 0 srtt 100 var 28.13 | none Infinity pto 0
      "
    `)
  })

  it('ack delay, an application-limited acknowledgment, ECN-CE', () => {
    expect(
      run(`
        0 send 10
        100 ack 0-1 delay=10
        101 ack 2-9 delay=100 limited
        110 send 2
        200 ce 11
        220 ack 10-11
        230 send 2
        330 ack 12-13
      `),
    ).toMatchInlineSnapshot(`
      "
      0 send 0-9 | slow_start cwnd 12000 ssthresh Infinity inflight 12000 srtt 333 var 166.5 | probe 1024 pto 0
      100 acked 2 | slow_start cwnd 14400 ssthresh Infinity inflight 9600 srtt 100 var 50 | probe 325 pto 0
      101 acked 8 | slow_start cwnd 14400 ssthresh Infinity inflight 0 srtt 100.13 var 37.75 | none Infinity pto 0
      110 send 10-11 | slow_start cwnd 14400 ssthresh Infinity inflight 2400 srtt 100.13 var 37.75 | probe 386.13 pto 0
      200 ce | recovery cwnd 7200 ssthresh 7200 inflight 2400 srtt 100.13 var 37.75 | probe 386.13 pto 0
      220 acked 2 | recovery cwnd 7200 ssthresh 7200 inflight 0 srtt 101.36 var 30.78 | none Infinity pto 0
      230 send 12-13 | recovery cwnd 7200 ssthresh 7200 inflight 2400 srtt 101.36 var 30.78 | probe 479.48 pto 0
      330 acked 2 | congestion_avoidance cwnd 7200 ssthresh 7200 inflight 0 srtt 101.19 var 23.43 | none Infinity pto 0
      "
    `)
  })

  it('probe timeouts with backoff that end in persistent congestion', () => {
    expect(
      run(`
        0 send 2
        100 ack 0-1
        101 send 4
        timer
        timer
        timer
        2500 ack 8
        2501 send 2
        2600 ack 9-10
      `),
    ).toMatchInlineSnapshot(`
      "
      0 send 0-1 | slow_start cwnd 12000 ssthresh Infinity inflight 2400 srtt 333 var 166.5 | probe 1024 pto 0
      100 acked 2 | slow_start cwnd 14400 ssthresh Infinity inflight 0 srtt 100 var 50 | none Infinity pto 0
      101 send 2-5 | slow_start cwnd 14400 ssthresh Infinity inflight 4800 srtt 100 var 50 | probe 426 pto 0
      426 probe timer, send 6-6 | slow_start cwnd 14400 ssthresh Infinity inflight 6000 srtt 100 var 50 | probe 1076 pto 1
      1076 probe timer, send 7-7 | slow_start cwnd 14400 ssthresh Infinity inflight 7200 srtt 100 var 50 | probe 2376 pto 2
      2376 probe timer, send 8-8 | slow_start cwnd 14400 ssthresh Infinity inflight 8400 srtt 100 var 50 | probe 4976 pto 3
      2500 acked 1 lost 2,3,4,5,6,7 PERSISTENT | slow_start cwnd 3600 ssthresh 7200 inflight 0 srtt 103 var 43.5 | none Infinity pto 0
      2501 send 9-10 | slow_start cwnd 3600 ssthresh 7200 inflight 2400 srtt 103 var 43.5 | probe 2803 pto 0
      2600 acked 2 | slow_start cwnd 6000 ssthresh 7200 inflight 0 srtt 102.5 var 33.63 | none Infinity pto 0
      "
    `)
  })
})
