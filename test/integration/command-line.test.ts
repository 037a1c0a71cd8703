/** The contract of the headless command line: what it prints, how it ends, and what it says when it cannot. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab'
import type { Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { createLabUser } from '../lab/lab-user'
import { LabProcess, type Exit } from '../lab/lab-process'
import { Monitor, spawnMonitor, sum, summaryOf } from '../lab/monitor'
import { paths } from '../lab/paths'
import { publicCopy } from '../lab/public-copy'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import { expectExactSums } from './support/expectations'

interface DegradedLine {
  reasons: { code: string; detail: string; fix: string }[]
}

interface Run extends Exit {
  stdout: string
  stderr: string
}

async function outcome(process: LabProcess): Promise<Run> {
  const exit = await process.exit
  return { ...exit, stdout: process.lines.join('\n'), stderr: process.stderr }
}

const run = (...args: string[]): Promise<Run> => outcome(new LabProcess('node', [paths.headless, ...args]))

describe('wrong usage', () => {
  it.each([
    ['an unknown command', ['nonsense']],
    ['an unknown option', ['monitor', '--nonsense']],
    ['a number that is none', ['monitor', '--seconds', 'soon']],
    ['a negative number', ['monitor', '--seconds', '-1']],
    ['an option without its value', ['monitor', '--interface']],
    ['an unknown format', ['monitor', '--format', 'xml']],
    ['an interval below the limit', ['monitor', '--interval', '1']],
    ['live and recorded at once', ['monitor', '--read', '-', '--interface', 'eth0']],
  ])('exits with 2 for %s', async (_what, args) => {
    const { code, stdout, stderr } = await run(...args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).not.toBe('')
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describeLab('headless monitor', () => {
  let lab: Lab
  let near: Host
  let far: Host

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.50.0.1/24'] },
      { host: far, interface: 'eth0', addresses: ['10.50.0.2/24'] },
    )
  })
  afterAll(() => lab.close())

  /** 100 kB of TCP to each port. */
  async function moveOverPorts(...ports: number[]): Promise<void> {
    for (const port of ports) {
      const server = startTraffic(far, 'tcp-server', { port, receive: 100_000, hold: true })
      await server.ready()
      const client = startTraffic(near, 'tcp-client', { connect: '10.50.0.2', port, send: 100_000, hold: true })
      await Promise.all([server.done(), client.done()])
    }
  }

  it('prints hello, ticks and a summary, and ends after --seconds', async () => {
    const process = spawnMonitor(near, { args: ['--seconds', '1'] })
    const { code, stderr } = await outcome(process)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const lines = process.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ type }) => type)).toEqual(['hello', ...Array(lines.length - 2).fill('tick'), 'summary'])
    expect(lines.length).toBeGreaterThan(4)
    expect(lines[0]).toMatchObject({ helperPid: expect.any(Number), helperVersion: expect.any(String) })
    expect(JSON.stringify(lines[0]?.['interfaces'])).toContain('eth0')
    expect(lines.slice(1).every((line) => !('flows' in line))).toBe(true)
    const times = lines.slice(1).map(({ timeMs }) => timeMs as number)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with a summary on %s, and its helper with it', async (signal) => {
    const monitor = await Monitor.start(near)
    monitor.process.signal(signal)
    expect(await monitor.process.exit).toEqual({ code: 0, signal: null })
    expectExactSums(summaryOf(monitor.process))
    await expect.poll(() => isAlive(monitor.hello.helperPid)).toBe(false)
  })

  it('ends when nobody reads its output any more', async () => {
    const process = near.spawn('sh', ['-c', `node ${paths.headless} monitor --format jsonl --interval 200 | head -n 2`])
    const hello = await process.waitForJson<{ helperPid: number }>('type', 'hello')
    expect((await process.exit).code).toBe(0)
    await expect.poll(() => isAlive(hello.helperPid)).toBe(false)
  })

  it('leaves no helper behind when it is killed', async () => {
    const monitor = await Monitor.start(near)
    await monitor.process.kill()
    await expect.poll(() => isAlive(monitor.hello.helperPid)).toBe(false)
  })

  it('exits with 1 and one clear line for an interface that is not there', async () => {
    const { code, stdout, stderr } = await outcome(spawnMonitor(near, { args: ['--interface', 'nowhere0'] }))
    expect(code).toBe(1)
    expect(stdout).not.toContain('"tick"')
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain('nowhere0')
  })

  it('captures only what the capture filter lets through', async () => {
    const monitor = await Monitor.start(near, { args: ['--capture-filter', 'tcp port 7800', '--flows'] })
    await moveOverPorts(7800, 7801)
    const tick = await monitor.settled()
    expect(tick.flows?.map(({ remotePort }) => remotePort)).toEqual([7800])
    expectExactSums(tick)
    await monitor.stop()
  })

  it('reports only what its own filter names, while it counts everything', async () => {
    const monitor = await Monitor.start(near, { args: ['--filter', 'traffic 7803', '--flows'] })
    await moveOverPorts(7803, 7804)
    const tick = await monitor.settled()
    expect(tick.flows?.map(({ remotePort }) => remotePort)).toEqual([7803])
    expect(sum(tick.interfaces).txBytes).toBeGreaterThan(200_000)
    await monitor.stop()
  })

  it('exits with 1 and one clear line for a capture filter that it cannot read', async () => {
    const { code, stderr } = await outcome(spawnMonitor(near, { args: ['--capture-filter', 'tcp port nonsense or'] }))
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/filter/i)
  })

  it('shows a table to people', async () => {
    const process = near.spawn('node', [
      paths.headless,
      'monitor',
      '--format',
      'table',
      '--seconds',
      '2',
      '--interval',
      '500',
    ])
    const server = startTraffic(far, 'tcp-server', { port: 7802, receive: 400_000 })
    await server.ready()
    startTraffic(near, 'tcp-client', { connect: '10.50.0.2', port: 7802, send: 400_000, rate: 200_000 })
    const { code, stdout } = await outcome(process)
    expect(code).toBe(0)
    expect(stdout).toContain('traffic')
    expect(stdout).not.toContain('{"type"')
  })

  it('says what is missing and how to mend it when it may not capture', async () => {
    const { prefix, env } = await createLabUser(lab)
    const copyOf = await publicCopy(lab, [paths.headless, paths.helper])
    const options = { prefix, env, headless: copyOf(paths.headless), args: ['--seconds', '1'] }
    const process = spawnMonitor(near, options)
    const degraded = await process.waitForJson<DegradedLine>('type', 'degraded')
    expect(degraded.reasons.map(({ code }) => code)).toEqual(['needsNetRaw', 'needsSysPtrace', 'needsDacReadSearch'])
    for (const { detail, fix } of degraded.reasons) {
      expect(detail).toMatch(/\.$/)
      expect(fix).toContain('setcap')
    }
    // What the kernel tells without privilege is reported, and marked as not measured.
    const { code, stderr } = await outcome(process)
    expect(code).toBe(0)
    expect(summaryOf(process).measured).toBe(false)
    expect(stderr).toContain('cap_net_raw')
  })
})

/** A process that has ended may stay in the table until somebody asks for its exit code. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
