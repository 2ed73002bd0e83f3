import { describe, expect, test } from 'vitest'
import { parseScenario, ScenarioError } from '../scenario.ts'

const P2P = '--delay=15ms --bandwidth=10Mbps --queue=25'

describe("scenarios in the simulator's words", () => {
  test('every scenario has a delay, a bandwidth and a queue', () => {
    expect(parseScenario(`simple-p2p ${P2P}`)).toEqual({ name: 'simple-p2p', delayMs: 15, bitsPerSecond: 10e6, queue: 25, impairment: { kind: 'none' } })
    expect(parseScenario('simple-p2p --queue=1 --delay=1.5s --bandwidth=500kbps')).toMatchObject({ delayMs: 1500, bitsPerSecond: 500e3, queue: 1 })
    expect(parseScenario('simple-p2p --queue=1 --delay=250us --bandwidth=1Gbps')).toMatchObject({ delayMs: 0.25, bitsPerSecond: 1e9 })
  })

  test('loss and corruption have a rate and a longest burst a direction', () => {
    const rates = '--rate_to_server=30 --rate_to_client=2 --burst_to_server=3 --burst_to_client=4'
    const towards = { server: { percent: 30, burst: 3 }, client: { percent: 2, burst: 4 } }
    expect(parseScenario(`drop-rate ${P2P} ${rates}`).impairment).toEqual({ kind: 'rate', effect: 'drop', towards })
    expect(parseScenario(`corrupt-rate ${P2P} ${rates}`).impairment).toEqual({ kind: 'rate', effect: 'corrupt', towards })
    expect(parseScenario(`drop-rate ${P2P} --rate_to_server=0 --rate_to_client=100`).impairment).toMatchObject({
      towards: { server: { burst: Infinity }, client: { percent: 100, burst: Infinity } },
    })
  })

  test('the others', () => {
    const dropList = parseScenario(`droplist ${P2P} --drops_to_server=2,3,4`).impairment
    expect(dropList).toEqual({ kind: 'drop-list', towards: { server: new Set([2, 3, 4]), client: new Set() } })
    const both = { client: true, server: true }
    expect(parseScenario(`blackhole ${P2P} --on=5s --off=2s`).impairment).toEqual({ kind: 'blackhole', onMs: 5000, offMs: 2000, repeat: 1, towards: both })
    expect(parseScenario(`blackhole ${P2P} --on=5s --off=2s --repeat=3 --direction=toclient`).impairment).toMatchObject({
      repeat: 3,
      towards: { client: true, server: false },
    })
    expect(parseScenario(`rebind ${P2P} --first-rebind=1s --rebind-freq=5s`).impairment).toEqual({ kind: 'rebind', firstMs: 1000, everyMs: 5000, address: false })
    expect(parseScenario(`rebind ${P2P} --first-rebind=1s --rebind-addr`).impairment).toEqual({
      kind: 'rebind',
      firstMs: 1000,
      everyMs: undefined,
      address: true,
    })
    expect(parseScenario(`ecn-mark ${P2P} --mark_above=5`).impairment).toEqual({ kind: 'ecn-mark', above: 5 })
  })

  test.each([
    ['tcp-cross-traffic --delay=15ms', "there is no scenario 'tcp-cross-traffic'"],
    ['', "there is no scenario ''"],
    ['simple-p2p --bandwidth=10Mbps --queue=25', '--delay is missing'],
    ['simple-p2p --delay=15ms --queue=25', '--bandwidth is missing'],
    ['simple-p2p --delay=15ms --bandwidth=10Mbps', '--queue is missing'],
    ['simple-p2p --delay=15 --bandwidth=10Mbps --queue=25', '--delay=15 is no time'],
    ['simple-p2p --delay=15ms --bandwidth=10MBps --queue=25', '--bandwidth=10MBps is no rate'],
    ['simple-p2p --delay=15ms --bandwidth=0Mbps --queue=25', '--bandwidth=0Mbps is no rate'],
    ['simple-p2p --delay=15ms --bandwidth=10Mbps --queue=0', '--queue=0 is no whole number from 1'],
    [`simple-p2p ${P2P} --delay=1ms`, '--delay is there twice'],
    [`simple-p2p ${P2P} --rate_to_server=1`, 'this scenario has no --rate_to_server'],
    [`simple-p2p ${P2P} delay`, "'delay' is no --NAME=VALUE"],
    [`drop-rate ${P2P} --rate_to_server=1`, '--rate_to_client is missing'],
    [`drop-rate ${P2P} --rate_to_server=1.5 --rate_to_client=1`, '--rate_to_server=1.5 is no whole number'],
    [`drop-rate ${P2P} --rate_to_server=101 --rate_to_client=1`, 'more than 100 %'],
    [`droplist ${P2P} --drops_to_server=0`, '--drops_to_server=0 is no whole number from 1'],
    [`blackhole ${P2P} --on=5s --off=2s --direction=left`, '--direction=left is none of'],
    [`blackhole ${P2P} --on=5s`, '--off is missing'],
    [`rebind ${P2P} --first-rebind=0s`, '--first-rebind is a time after the start'],
    [`rebind ${P2P} --first-rebind=1s --rebind-addr=maybe`, '--rebind-addr=maybe is neither'],
  ])('%s is refused', (command, message) => {
    expect(() => parseScenario(command)).toThrow(ScenarioError)
    expect(() => parseScenario(command)).toThrow(message)
  })
})
