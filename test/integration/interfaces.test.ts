/** Which interfaces are captured, live changes among them, tagged frames, and traffic that is not this machine's. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { startBlast, type BlastOptions } from '../lab/blast'
import { describeLab } from '../lab/describe-lab'
import { difference, type Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { Monitor, sum } from '../lab/monitor'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import { expectExactSums } from './support/expectations'

const payloadBytes = 1_000_000

/** Sends `payloadBytes` by TCP and resolves when they have arrived. The sockets stay open, to be looked up. */
async function sendTcp(
  from: Host,
  to: Host,
  address: string,
  port: number,
): Promise<{ fromPid: number; toPid: number }> {
  const server = startTraffic(to, 'tcp-server', { port, bind: address, receive: payloadBytes, hold: true })
  await server.ready()
  const client = startTraffic(from, 'tcp-client', { connect: address, port, send: payloadBytes, hold: true })
  await Promise.all([server.done(), client.done()])
  return { fromPid: client.pid, toPid: server.pid }
}

describeLab('interfaces', () => {
  let lab: Lab
  let near: Host
  let far: Host

  beforeAll(buildTools)
  beforeEach(async () => {
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    for (const n of [0, 1])
      await lab.link(
        { host: near, interface: `eth${n}`, addresses: [`10.3${n}.0.1/24`] },
        { host: far, interface: `eth${n}`, addresses: [`10.3${n}.0.2/24`] },
      )
  })
  afterEach(() => lab.close())

  it('captures every interface that is up and has an address, loopback excepted', async () => {
    await near.ip('link', 'add', 'down0', 'type', 'bridge')
    const monitor = await Monitor.start(near, { args: ['--flows'] })
    const [first, second] = await Promise.all([
      sendTcp(near, far, '10.30.0.2', 7000),
      sendTcp(near, far, '10.31.0.2', 7001),
      sendTcp(near, near, '127.0.0.1', 7002),
    ])
    const tick = await monitor.settled()
    expect(tick.interfaces.map(({ name }) => name).sort()).toEqual(['eth0', 'eth1'])
    for (const [name, pid] of [['eth0', first.fromPid] as const, ['eth1', second.fromPid] as const]) {
      const flows = tick.flows?.filter((flow) => flow.interface === name && flow.protocol.toLowerCase() === 'tcp') ?? []
      expect(flows.map((flow) => flow.pid)).toEqual([pid])
      expect(sum(flows).txBytes).toBeGreaterThan(payloadBytes)
    }
    expectExactSums(tick)
  })

  it('captures only the interfaces that are named', async () => {
    const monitor = await Monitor.start(near, { args: ['--interface', 'eth1'] })
    await Promise.all([sendTcp(near, far, '10.30.0.2', 7000), sendTcp(near, far, '10.31.0.2', 7001)])
    const tick = await monitor.settled()
    expect(tick.interfaces.map(({ name }) => name)).toEqual(['eth1'])
    expect(sum(tick.interfaces).txBytes).toBeGreaterThan(payloadBytes)
    expect(sum(tick.interfaces).txBytes).toBeLessThan(payloadBytes * 1.1)
    expectExactSums(tick)
  })

  it('captures loopback on request, each frame as sent and as received', async () => {
    const monitor = await Monitor.start(near, { args: ['--interface', 'lo', '--flows'] })
    const before = await near.linkTotals('lo')
    const { fromPid, toPid } = await sendTcp(near, near, '127.0.0.1', 7002)
    const tick = await monitor.settled()
    const onWire = difference(await near.linkTotals('lo'), before)
    const captured = sum(tick.interfaces)
    // The counters of lo leave out the Ethernet header, which is all zeros there.
    expect(captured.rxBytes).toBe(onWire.rxBytes + 14 * onWire.rxPackets)
    expect(captured.txBytes).toBe(onWire.txBytes + 14 * onWire.txPackets)
    expect(captured.rxPackets).toBe(onWire.rxPackets)
    expect(captured.txPackets).toBe(onWire.txPackets)
    const sender = tick.processes.find(({ pid }) => pid === fromPid)
    const receiver = tick.processes.find(({ pid }) => pid === toPid)
    expect(sender?.txBytes).toBeGreaterThan(payloadBytes)
    expect(receiver?.rxBytes).toBe(sender?.txBytes)
    expect(receiver?.txBytes).toBe(sender?.rxBytes)
    expectExactSums(tick)
  })

  it('follows interfaces that come and go, and keeps the totals of those that went', async () => {
    const monitor = await Monitor.start(near)
    await lab.link(
      { host: near, interface: 'plug0', addresses: ['10.32.0.1/24'] },
      { host: far, interface: 'plug0', addresses: ['10.32.0.2/24'] },
    )
    await monitor.tick('the new interface', ({ interfaces }) => interfaces.some(({ name }) => name === 'plug0'))
    const { toPid } = await sendTcp(far, near, '10.32.0.1', 7003)
    const plugged = await monitor.settled()
    const row = plugged.processes.find(({ pid }) => pid === toPid)
    expect(row?.rxBytes).toBeGreaterThan(payloadBytes)

    await near.ip('link', 'delete', 'plug0')
    const unplugged = await monitor.settled()
    expect(unplugged.processes.find(({ pid }) => pid === toPid)?.rxBytes).toBe(row?.rxBytes)
    expectExactSums(unplugged)
    const { fromPid } = await sendTcp(near, far, '10.30.0.2', 7004)
    const after = await monitor.settled()
    expect(after.processes.find(({ pid }) => pid === fromPid)?.txBytes).toBeGreaterThan(payloadBytes)
    expectExactSums(after)
    expect((await monitor.stop()).exit.code).toBe(0)
  })

  it('captures an interface that gets its address late, and one that is renamed', async () => {
    await lab.link({ host: near, interface: 'late0' }, { host: far, interface: 'late0', addresses: ['10.33.0.2/24'] })
    // Not even a link-local address: nothing tells that it is used.
    await near.run('sysctl', ['-qw', 'net.ipv6.conf.late0.disable_ipv6=1'])
    const monitor = await Monitor.start(near, { args: ['--flows'] })
    expect((await monitor.settled()).interfaces.map(({ name }) => name)).not.toContain('late0')
    await near.addAddress('late0', '10.33.0.1/24')
    await monitor.tick('the interface with its address', ({ interfaces }) =>
      interfaces.some(({ name }) => name === 'late0'),
    )
    await near.ip('link', 'set', 'late0', 'name', 'uplink0')
    await monitor.tick('the new name', ({ interfaces }) => interfaces.some(({ name }) => name === 'uplink0'))
    const { fromPid } = await sendTcp(near, far, '10.33.0.2', 7005)
    const tick = await monitor.settled()
    expect(tick.flows?.filter(({ pid }) => pid === fromPid).map((flow) => flow.interface)).toEqual(['uplink0'])
    expectExactSums(tick)
  })

  it.each([
    { tags: 'one VLAN tag', vlan: [7] },
    { tags: 'two VLAN tags (QinQ)', vlan: [30, 7] },
  ])('reads through $tags', async ({ vlan }) => {
    const monitor = await Monitor.start(near, { args: ['--interface', 'eth0', '--flows'] })
    const options: BlastOptions = {
      interface: 'eth0',
      destinationMac: await near.linkLayerAddress('eth0'),
      source: '10.30.0.2',
      destination: '10.30.0.1',
      port: 7100,
      flows: 3,
      count: 300,
      size: 200,
      vlan,
    }
    const blast = startBlast(far, options)
    await blast.ready()
    blast.go()
    await blast.done()
    const tick = await monitor.settled()
    const flows = tick.flows?.filter(({ localPort }) => localPort === 7100) ?? []
    expect(flows.map((flow) => [flow.protocol.toLowerCase(), flow.localAddress, flow.remoteAddress])).toEqual(
      Array(3).fill(['udp', '10.30.0.1', '10.30.0.2']),
    )
    expect(flows.map(({ remotePort }) => remotePort).sort()).toEqual([10_000, 10_001, 10_002])
    expect(sum(flows)).toMatchObject({ rxBytes: 60_000, rxPackets: 300, txBytes: 0, txPackets: 0 })
    expect(flows.every(({ attribution, pid }) => attribution === 'none' && pid === null)).toBe(true)
    expectExactSums(tick)
  })

  it('charges forwarded traffic to no process and says that it is forwarded', async () => {
    const beyond = await lab.host('beyond')
    await lab.link(
      { host: near, interface: 'eth2', addresses: ['10.34.0.1/24'] },
      { host: beyond, interface: 'eth0', addresses: ['10.34.0.2/24'] },
    )
    await near.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
    await beyond.ip('route', 'add', 'default', 'via', '10.34.0.1')
    await far.ip('route', 'add', '10.34.0.0/24', 'via', '10.30.0.1')
    const monitor = await Monitor.start(near)
    await sendTcp(far, beyond, '10.34.0.2', 7006)
    const tick = await monitor.settled()
    expect(tick.processes.filter(({ name }) => name === 'traffic')).toEqual([])
    // Once on the way in and once on the way out.
    expect(tick.unattributed.reasons['forwarded']).toBeGreaterThan(2 * payloadBytes)
    expectExactSums(tick)
  })
})
