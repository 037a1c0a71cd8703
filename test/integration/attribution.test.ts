/** Whose bytes they are: ports that change hands, ports that two protocols share, and traffic that nobody owns. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { startBlast } from '../lab/blast'
import { describeLab } from '../lab/describe-lab'
import type { Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { Monitor, type TickLine } from '../lab/monitor'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import { WireCounter } from '../lab/wire-counter'
import { expectExactSums, expectWithinOnePct } from './support/expectations'

const nearAddress = '10.40.0.1'
const farAddress = '10.40.0.2'

function rowOf(tick: TickLine, pid: number): TickLine['processes'][number] {
  const row = tick.processes.find((process) => process.pid === pid)
  if (row === undefined) throw new Error(`no row for pid ${pid}; unattributed ${JSON.stringify(tick.unattributed)}`)
  return row
}

describeLab('attribution', () => {
  let lab: Lab
  let near: Host
  let far: Host
  let monitor: Monitor

  beforeAll(buildTools)
  beforeEach(async () => {
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: [`${nearAddress}/24`] },
      { host: far, interface: 'eth0', addresses: [`${farAddress}/24`] },
    )
    monitor = await Monitor.start(near, { args: ['--flows'] })
  })
  afterEach(() => lab.close())

  it('tells TCP from UDP on the same port', async () => {
    const wire = await WireCounter.start(near, {
      tcp: { protocol: 'tcp', localPort: 7200 },
      udp: { protocol: 'udp', localPort: 7200 },
    })
    const tcp = startTraffic(near, 'tcp-server', { port: 7200, receive: 1_000_000, hold: true })
    const udp = startTraffic(near, 'udp-server', { port: 7200, receive: 400_000, hold: true })
    await Promise.all([tcp.ready(), udp.ready()])
    const target = { connect: nearAddress, port: 7200, sourcePort: 7201, hold: true }
    startTraffic(far, 'tcp-client', { ...target, send: 1_000_000 })
    startTraffic(far, 'udp-client', { ...target, send: 400_000, rate: 20_000_000 })
    await Promise.all([tcp.done(), udp.done()])
    const tick = await monitor.settled()
    const truth = await wire.read()
    for (const [name, { pid }] of Object.entries({ tcp, udp })) {
      const counted = truth[name]
      if (counted === undefined) throw new Error(`no counter ${name}`)
      expectWithinOnePct(rowOf(tick, pid), counted)
    }
    expectExactSums(tick)
  })

  it('charges a TCP port that is used again to the process that has it now', async () => {
    const server = startTraffic(far, 'tcp-server', { port: 7300, receive: 500_000, repeat: 2 })
    await server.ready()
    const target = { connect: farAddress, port: 7300, sourcePort: 7301, send: 500_000, reset: true, hold: true }
    const first = startTraffic(near, 'tcp-client', target)
    await first.done()
    const before = rowOf(await monitor.settled(), first.pid)
    expect(before.txBytes).toBeGreaterThan(500_000)
    await first.release()
    const second = startTraffic(near, 'tcp-client', target)
    await second.done()
    const tick = await monitor.settled()
    // A reset is all that the first may still have sent.
    expect(rowOf(tick, first.pid).txBytes - before.txBytes).toBeLessThan(200)
    expect(rowOf(tick, second.pid).txBytes).toBeGreaterThan(500_000)
    expectExactSums(tick)
  })

  it('charges a UDP port that is used again, with the same peer, to the process that has it now', async () => {
    const first = startTraffic(near, 'udp-server', { port: 7400, receive: 400_000, hold: true })
    await first.ready()
    const sender = startTraffic(far, 'udp-client', {
      connect: nearAddress,
      port: 7400,
      sourcePort: 7401,
      send: 2_000_000,
      rate: 1_000_000,
    })
    await first.done()
    await first.release()
    const second = startTraffic(near, 'udp-server', { port: 7400, receive: 400_000, hold: true })
    await second.ready()
    await second.done()
    await sender.done()
    const tick = await monitor.settled()
    // The first socket got 400 kB, at 1 MB/s; half a second after it was closed its owner is no longer charged.
    expect(rowOf(tick, first.pid).rxBytes).toBeGreaterThan(400_000)
    expect(rowOf(tick, first.pid).rxBytes).toBeLessThan(900_000)
    expect(rowOf(tick, second.pid).rxBytes).toBeGreaterThan(400_000)
    expectExactSums(tick)
  })

  it('charges a flow that began before its socket was open to the process that opens it', async () => {
    const sender = startTraffic(far, 'udp-client', {
      connect: nearAddress,
      port: 7450,
      send: 3_000_000,
      rate: 1_000_000,
    })
    await monitor.tick('the flow without a socket', ({ unattributed }) => (unattributed.reasons['noSocket'] ?? 0) > 0)
    const late = startTraffic(near, 'udp-server', { port: 7450, receive: 1_500_000, hold: true })
    await late.done()
    await sender.done()
    const tick = await monitor.settled()
    expect(rowOf(tick, late.pid).rxBytes).toBeGreaterThan(1_000_000)
    expectExactSums(tick)
  })

  it('names a process that sent one datagram and keeps it after its end', async () => {
    const server = startTraffic(far, 'udp-server', { port: 7500, receive: 1000 })
    await server.ready()
    const client = startTraffic(near, 'udp-client', {
      connect: farAddress,
      port: 7500,
      send: 1000,
      chunk: 1000,
      hold: true,
    })
    await server.done()
    await monitor.tick('the sender', ({ processes }) => processes.some(({ pid }) => pid === client.pid))
    await client.release()
    const tick = await monitor.settled()
    expect(rowOf(tick, client.pid)).toMatchObject({ name: 'traffic', txBytes: 1042, txPackets: 1 })
    expectExactSums(tick)
  })

  it('charges the children of a server to themselves, not to the parent', async () => {
    const server = near.spawn('socat', ['TCP-LISTEN:7600,fork,reuseaddr', 'OPEN:/dev/null'])
    // socat prints nothing when it listens; the kernel tells.
    await expect.poll(() => near.run('ss', ['-Hltn', 'sport = :7600'])).toContain('7600')
    const client = startTraffic(far, 'tcp-client', { connect: nearAddress, port: 7600, send: 700_000, hold: true })
    await client.done()
    const tick = await monitor.settled()
    const rows = tick.processes.filter(({ name }) => name === 'socat')
    expect(rows).toHaveLength(1)
    expect(rows[0]?.pid).not.toBe(server.pid)
    expect(rows[0]?.rxBytes).toBeGreaterThan(700_000)
    expectExactSums(tick)
  })

  it('says why traffic to a port that nobody has opened is unattributed', async () => {
    const blast = startBlast(far, {
      interface: 'eth0',
      destinationMac: await near.linkLayerAddress('eth0'),
      source: farAddress,
      destination: nearAddress,
      port: 7700,
      count: 50,
      size: 100,
    })
    await blast.ready()
    blast.go()
    await blast.done()
    const tick = await monitor.tick(
      'the reason, after the last look-up',
      ({ unattributed }) => (unattributed.reasons['noSocket'] ?? 0) >= 5000,
    )
    const flow = tick.flows?.find(({ localPort }) => localPort === 7700)
    expect(flow).toMatchObject({ rxBytes: 5000, rxPackets: 50, attribution: 'none', reason: 'noSocket', pid: null })
    expectExactSums(tick)
  })
})
