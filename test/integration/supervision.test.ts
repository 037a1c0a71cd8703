/** Helper and monitor as two processes: either may die, and the other does what the user would want. */
import { readFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab'
import type { Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { Monitor, sum } from '../lab/monitor'
import { paths } from '../lab/paths'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import { expectExactSums } from './support/expectations'

describe('helper', () => {
  it('ends with its standard input', async () => {
    const child = spawn(paths.helper, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    child.stdout.resume()
    await once(child.stdout, 'data')
    child.stdin.end()
    expect(await exited).toEqual([0, null])
  })

  it.each([
    ['a frame that claims to be larger than any may be', [0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0]],
    ['a frame of an unknown type', [2, 0, 0, 0, 99, 0, 0, 0, 0x7b, 0x7d]],
    ['text instead of frames', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['JSON that is none', [4, 0, 0, 0, 1, 0, 0, 0, ...Buffer.from('{{{{')]],
  ])('refuses %s with a typed error and exit code 4', async (_what, bytes) => {
    const child = spawn(paths.helper, [], { stdio: ['pipe', 'pipe', 'ignore'] })
    const exited = once(child, 'exit')
    let output = ''
    child.stdout.setEncoding('latin1').on('data', (text: string) => (output += text))
    child.stdin.on('error', () => undefined)
    child.stdin.write(Buffer.from(bytes))
    expect(await exited).toEqual([4, null])
    expect(output).toMatch(/"type":"error"/)
    expect(output).toMatch(/"fatal":true/)
  })
})

describeLab('supervision', () => {
  let lab: Lab
  let near: Host
  let far: Host

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.70.0.1/24'] },
      { host: far, interface: 'eth0', addresses: ['10.70.0.2/24'] },
    )
  })
  afterAll(() => lab.close())

  async function move(bytes: number, port: number): Promise<number> {
    const server = startTraffic(far, 'tcp-server', { port, receive: bytes })
    await server.ready()
    const client = startTraffic(near, 'tcp-client', { connect: '10.70.0.2', port, send: bytes, hold: true })
    await client.done()
    return client.pid
  }

  it('goes on with a new helper, and with all totals, when the helper is killed', async () => {
    const monitor = await Monitor.start(near)
    const firstPid = await move(500_000, 7900)
    const before = await monitor.settled()
    process.kill(monitor.hello.helperPid, 'SIGKILL')
    // The far end's bytes show when capture is on again.
    const seen = monitor.tick(
      'traffic after the restart',
      ({ interfaces }) => sum(interfaces).txBytes > sum(before.interfaces).txBytes,
    )
    const trickle = startTraffic(far, 'udp-server', { port: 7901, receive: 10_000_000 })
    await trickle.ready()
    const steady = startTraffic(near, 'udp-client', {
      connect: '10.70.0.2',
      port: 7901,
      send: 10_000_000,
      rate: 50_000,
    })
    await seen
    const secondPid = await move(500_000, 7902)
    await steady.kill()
    await trickle.kill()
    const after = await monitor.settled()
    const rowOf = (pid: number): number => after.processes.find((row) => row.pid === pid)?.txBytes ?? 0
    expect(rowOf(firstPid)).toBeGreaterThanOrEqual(before.processes.find(({ pid }) => pid === firstPid)?.txBytes ?? 1)
    expect(rowOf(secondPid)).toBeGreaterThan(500_000)
    expectExactSums(after)
    const { summary, exit } = await monitor.stop()
    expect(exit.code).toBe(0)
    expectExactSums(summary)
    expect(monitor.process.stderr).toMatch(/helper/i)
  })

  it('runs its helper with no more than it needs', async () => {
    const monitor = await Monitor.start(near)
    const status = readFileSync(`/proc/${monitor.hello.helperPid}/status`, 'utf8')
    const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''
    expect(field('NoNewPrivs')).toBe('1')
    expect(field('Seccomp')).toBe('2')
    // cap_dac_read_search (2), cap_net_raw (13), cap_sys_ptrace (19) at most.
    const allowed = (1n << 2n) | (1n << 13n) | (1n << 19n)
    for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
      expect(BigInt(`0x${field(set)}`) & ~allowed, set).toBe(0n)
    await monitor.stop()
  })
})
