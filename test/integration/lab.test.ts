/** The lab itself: what its tools say they moved is what the kernel counts, and nothing of it stays behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBlast } from '../lab/blast'
import { runCommand } from '../lab/command'
import { describeLab } from '../lab/describe-lab'
import { difference, type Host } from '../lab/host'
import { Lab, withLab } from '../lab/lab'
import { paths } from '../lab/paths'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import { WireCounter } from '../lab/wire-counter'

describeLab('lab', () => {
  let lab: Lab
  let near: Host
  let far: Host

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.9.0.1/24', 'fd00:9::1/64'] },
      { host: far, interface: 'eth0', addresses: ['10.9.0.2/24', 'fd00:9::2/64'] },
    )
  })
  afterAll(() => lab.close())

  it.each([
    { family: 4, address: '10.9.0.2', headerBytes: 14 + 20 + 8 },
    { family: 6, address: 'fd00:9::2', headerBytes: 14 + 40 + 8 },
  ])('sends exactly the datagrams it was asked for over IPv$family', async ({ family, address, headerBytes }) => {
    const port = 5000 + family
    const host = await lab.host(`counting${family}`)
    await lab.link(
      { host, interface: 'eth0', addresses: [family === 4 ? '10.10.0.1/24' : 'fd00:10::1/64'] },
      { host: far, interface: `c${family}`, addresses: [family === 4 ? '10.10.0.2/24' : 'fd00:10::2/64'] },
    )
    const counter = await WireCounter.start(host, { datagrams: { protocol: 'udp', remotePort: port } })
    const server = startTraffic(far, 'udp-server', { port, receive: 100_000 })
    await server.ready()
    const target = address.replace('9', '10')
    const client = startTraffic(host, 'udp-client', { connect: target, port, send: 100_000, chunk: 1000 })
    expect(await client.done()).toMatchObject({ sentBytes: 100_000, receivedBytes: 0 })
    expect(await server.done()).toMatchObject({ sentBytes: 0, receivedBytes: 100_000 })
    const totals = await counter.read()
    expect(totals['datagrams']).toEqual({
      rxBytes: 0,
      rxPackets: 0,
      txBytes: 100 * (1000 + headerBytes),
      txPackets: 100,
    })
  })

  it('moves TCP both ways at once, as nftables and the interface count it', async () => {
    const counter = await WireCounter.start(near, { stream: { protocol: 'tcp', remotePort: 5100 } })
    const before = await near.linkTotals('eth0')
    const server = startTraffic(far, 'tcp-server', { port: 5100, send: 300_000, receive: 200_000 })
    await server.ready()
    const client = startTraffic(near, 'tcp-client', {
      connect: '10.9.0.2',
      port: 5100,
      send: 200_000,
      receive: 300_000,
    })
    expect(await client.done()).toMatchObject({ pid: client.pid, sentBytes: 200_000, receivedBytes: 300_000 })
    await client.exit
    await server.exit
    const link = difference(await near.linkTotals('eth0'), before)
    const { stream } = await counter.read()
    expect(stream?.txBytes).toBeGreaterThan(200_000)
    expect(stream?.rxBytes).toBeGreaterThan(300_000)
    // The interface carries ARP and neighbour discovery besides.
    for (const member of ['rxBytes', 'txBytes'] as const) {
      expect(link[member]).toBeGreaterThanOrEqual(stream?.[member] ?? 0)
      expect(link[member] - (stream?.[member] ?? 0)).toBeLessThan(1000)
    }
  })

  it('blasts an exact number of frames over an exact number of flows', async () => {
    const before = await near.linkTotals('eth0')
    const blast = startBlast(far, {
      interface: 'eth0',
      destinationMac: await near.linkLayerAddress('eth0'),
      source: '10.9.1.0',
      destination: '10.9.0.1',
      port: 5200,
      flows: 500,
      count: 5000,
      size: 90,
      vlan: [7],
    })
    await blast.ready()
    const capture = near.spawn('tcpdump', ['-i', 'eth0', '-nn', '-l', '-c', '5000', 'vlan 7 and udp dst port 5200'])
    await capture.waitForStderr('listening on')
    blast.go()
    expect(await blast.done()).toMatchObject({ packets: 5000, bytes: 450_000 })
    await capture.exit
    const sources = capture.lines.map((line) => /IP (\S+) >/.exec(line)?.[1])
    expect(sources).toHaveLength(5000)
    expect(new Set(sources).size).toBe(500)
    const link = difference(await near.linkTotals('eth0'), before)
    expect(link.rxPackets).toBeGreaterThanOrEqual(5000)
    expect(link.rxBytes).toBeGreaterThanOrEqual(450_000)
  })

  it('keeps to the rate it was asked for', async () => {
    const blast = startBlast(far, {
      interface: 'eth0',
      destinationMac: await near.linkLayerAddress('eth0'),
      source: '10.9.1.0',
      destination: '10.9.0.1',
      count: 20_000,
      rate: 40_000,
    })
    await blast.ready()
    blast.go()
    // Never faster; how much slower depends on who else uses this machine.
    expect((await blast.done()).packetsPerSecond).toBeLessThanOrEqual(40_400)
  })

  it('says what is wrong with a command line', async () => {
    await expect(near.run(paths.traffic, ['tcp-client'])).rejects.toThrow('--connect is required')
  })

  it('removes its namespaces, processes and files', async () => {
    const { name, pid, directory } = await withLab(async (other) => {
      const host = await other.host('gone')
      const server = startTraffic(host, 'tcp-server', { port: 5300 })
      await server.ready()
      return { name: other.name, pid: server.pid, directory: other.directory }
    })
    expect(await runCommand('ip', ['netns', 'list'])).not.toContain(name)
    await expect.poll(() => existsSync(`/proc/${pid}/fd`)).toBe(false)
    expect(existsSync(directory)).toBe(false)
  })

  it('is removed by its janitor when its process is killed', async () => {
    const name = `nl-${process.pid}-0-dead`
    await runCommand('ip', ['netns', 'add', `${name}-1-left`])
    const owner = spawn('sleep', ['infinity'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const janitor = spawn(paths.janitor, [name], { stdio: [owner.stdout, 'inherit', 'inherit'] })
    const janitorEnded = once(janitor, 'exit')
    owner.stdout.destroy()
    owner.kill('SIGKILL')
    await janitorEnded
    expect(await runCommand('ip', ['netns', 'list'])).not.toContain(name)
  })

  it('is swept by the next lab when its janitor was killed too', async () => {
    // No process has this pid: it is beyond the kernel's largest.
    const name = 'nl-4999999-1-dead'
    await runCommand('ip', ['netns', 'add', `${name}-1-left`])
    await withLab(async () => undefined)
    expect(await runCommand('ip', ['netns', 'list'])).not.toContain(name)
  })
})
