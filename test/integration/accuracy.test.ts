/**
 * Bytes and packets per process against the kernel's own count of the same packets: every protocol, family, direction
 * and kind of socket, within 1 % and charged to the right pid; and sums that hold to the byte.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab'
import { difference, type Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { Monitor, sum } from '../lab/monitor'
import { clientScenarios, runScenario, specialScenarios, type ScenarioAddresses } from '../lab/scenarios'
import { buildTools } from '../lab/tools'
import { WireCounter } from '../lab/wire-counter'
import { expectExactSums, expectWithinOnePct } from './support/expectations'

const scenarios = [...clientScenarios, ...specialScenarios]
const firstPort = 6000

const addresses: ScenarioAddresses = {
  near: { 4: '10.20.0.1', 6: 'fd00:20::1' },
  far: { 4: '10.20.0.2', 6: 'fd00:20::2' },
}

describeLab('accuracy', () => {
  let lab: Lab
  let near: Host
  let far: Host
  let monitor: Monitor
  let wire: WireCounter

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.20.0.1/24', 'fd00:20::1/64'] },
      { host: far, interface: 'eth0', addresses: ['10.20.0.2/24', 'fd00:20::2/64'] },
    )
    const matches = scenarios.map(({ protocol, nearRole }, index) => [
      `scenario${index}`,
      { protocol, [nearRole === 'server' ? 'localPort' : 'remotePort']: firstPort + index },
    ])
    wire = await WireCounter.start(near, Object.fromEntries(matches))
    monitor = await Monitor.start(near, { args: ['--flows'] })
  })
  afterAll(() => lab.close())

  it.each(scenarios.map((scenario, index) => ({ scenario, index })))(
    'charges $scenario.name to its process',
    async ({ scenario, index }) => {
      const before = await near.linkTotals('eth0')
      const capturedBefore = sum((await monitor.settled()).interfaces)
      const running = await runScenario(scenario, near, far, addresses, firstPort + index)
      const tick = await monitor.settled()
      const link = difference(await near.linkTotals('eth0'), before)
      const truth = (await wire.read())[`scenario${index}`]
      if (truth === undefined) throw new Error('the wire counter lost a scenario')
      expect(truth.rxBytes).toBeGreaterThanOrEqual(scenario.rxBytes)
      expect(truth.txBytes).toBeGreaterThanOrEqual(scenario.txBytes)

      const row = tick.processes.find(({ pid }) => pid === running.nearPid)
      if (row === undefined) throw new Error(`no row for pid ${running.nearPid}: ${JSON.stringify(tick.unattributed)}`)
      expectWithinOnePct(row, truth)
      expect(row.name).toBe('traffic')
      expect(row.exe).toMatch(/\/out\/lab\/traffic$/)
      expect(row.user).toBe('root')
      // The far process is on this machine too, but its sockets are not in this host.
      expect(tick.processes.filter(({ pid }) => pid === running.farPid)).toEqual([])

      const flow = tick.flows?.find(
        ({ protocol, localPort, remotePort }) =>
          protocol.toLowerCase() === scenario.protocol &&
          localPort === running.localPort &&
          remotePort === running.remotePort,
      )
      expect(flow).toMatchObject({
        localAddress: addresses.near[scenario.family],
        remoteAddress: addresses.far[scenario.family],
        interface: 'eth0',
        pid: running.nearPid,
        process: 'traffic',
        state: scenario.protocol === 'tcp' ? 'established' : 'none',
      })

      expectExactSums(tick)
      // The kernel's own frames (ARP, neighbour and router discovery) may fall between the two readings.
      expectWithinOnePct(difference(sum(tick.interfaces), capturedBefore), link, { bytes: 1000, packets: 10 })
      await running.finish()
    },
  )

  it('ends with a summary of the same totals', async () => {
    const last = await monitor.settled()
    const { summary, exit } = await monitor.stop()
    expect(exit).toEqual({ code: 0, signal: null })
    expectExactSums(summary)
    for (const row of last.processes)
      expect(summary.processes.find(({ pid }) => pid === row.pid)?.rxBytes).toBeGreaterThanOrEqual(row.rxBytes)
    // Processes that have ended keep their totals.
    expect(summary.processes.filter(({ name }) => name === 'traffic')).toHaveLength(scenarios.length)
    expect(summary.interfaces.map(({ name, dropped }) => ({ name, dropped }))).toEqual([{ name: 'eth0', dropped: 0 }])
  })
})
