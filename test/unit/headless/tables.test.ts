import { describe, expect, it } from 'vitest'
import {
  interfaceTable,
  neighborTable,
  routeTable,
  socketTable,
  type KernelTable,
} from '../../../electron/headless/kernel-tables'
import { runKernelTable, type TableOptions } from '../../../electron/headless/table-command'
import { defaultCaptureOptions, type HelperConnector } from '../../../electron/helper/helper'
import { connectScripted } from '../../../electron/helper/scripted-helper'
import { succeed } from '../../../electron/shared/errors'
import type { Neighbor } from '../../../electron/shared/helper-messages'
import { FakeOutput } from './fake-output'

/** The scripted helper with its flows open, so that it has sockets. */
const busy: HelperConnector = async (events) => {
  const scripted = await connectScripted()(events)
  if (scripted.ok) await scripted.value.start(defaultCaptureOptions)
  return scripted
}

async function run<Item extends object>(table: KernelTable<Item>, options: TableOptions): Promise<FakeOutput> {
  const fake = new FakeOutput()
  expect(await runKernelTable(table, options, busy, fake.output)).toBe(0)
  expect(fake.stderr).toBe('')
  return fake
}

describe('tables of the kernel', () => {
  it('are lines for programs, each saying what it is', async () => {
    expect((await run(interfaceTable, { format: 'jsonl' })).lines.map(({ type, name }) => [type, name])).toEqual([
      ['interface', 'wlp2s0'],
      ['interface', 'wg0'],
      ['interface', 'lo'],
    ])
    expect((await run(routeTable, { format: 'jsonl' })).lines[0]).toMatchObject({
      type: 'route',
      routeType: 'unicast',
      destination: 'default',
      gateway: '192.0.2.1',
    })
    const sockets = (await run(socketTable, { format: 'jsonl' })).lines
    expect(sockets.length).toBeGreaterThan(300)
    expect(sockets[0]).toMatchObject({
      type: 'socket',
      protocol: 'TCP',
      service: 'https',
      process: 'firefox',
      state: 'SYN-SENT',
    })
    expect(typeof sockets[0]?.['pid']).toBe('number')
  })

  it('are columns for people', async () => {
    const { stdout } = await run(neighborTable, { format: 'table' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/^ADDRESS +LINK-LAYER ADDRESS +INTERFACE +STATE +ROUTER$/)
    expect(lines[1]).toMatch(/^192\.0\.2\.1 +02:00:5e:10:42:01 +wlp2s0 +REACHABLE +router$/)
  })

  it('show only what belongs to the interface that is named', async () => {
    const { lines } = await run(routeTable, { format: 'jsonl', interface: ['wg0'] })
    expect(lines.map(({ destination }) => destination)).toEqual(['203.0.113.192/26'])
  })

  it('end with 1 and one line for an interface that is not there', async () => {
    const fake = new FakeOutput()
    expect(await runKernelTable(neighborTable, { format: 'jsonl', interface: ['nowhere0'] }, busy, fake.output)).toBe(1)
    expect(fake.stdout).toBe('')
    expect(fake.stderr).toMatch(/^netloupe: .*nowhere0.*\n$/)
  })

  it('report what changes while they are watched', async () => {
    const neighbor = (address: string, nudState: string): Neighbor => ({
      family: 4,
      address,
      linkLayerAddress: '02:00:5e:10:42:01',
      interface: 'eth0',
      nudState,
      router: false,
    })
    const states = [
      [neighbor('192.0.2.1', 'REACHABLE'), neighbor('192.0.2.2', 'STALE')],
      [neighbor('192.0.2.1', 'STALE'), neighbor('192.0.2.2', 'STALE')],
      [neighbor('192.0.2.2', 'STALE'), neighbor('192.0.2.3', 'REACHABLE')],
      [],
    ]
    const fake = new FakeOutput()
    const table: typeof neighborTable = {
      ...neighborTable,
      read: () => {
        const state = states.shift()
        if (states.length === 0) fake.breakPipe()
        return Promise.resolve(succeed(state ?? []))
      },
    }
    expect(
      await runKernelTable(table, { format: 'jsonl', seconds: 60 }, busy, fake.output, () => Promise.resolve()),
    ).toBe(0)
    // The reader goes while the last list is read, which it therefore does not get.
    expect(fake.lines.map(({ event, address, nudState }) => [event, address, nudState])).toEqual([
      [undefined, '192.0.2.1', 'REACHABLE'],
      [undefined, '192.0.2.2', 'STALE'],
      ['changed', '192.0.2.1', 'STALE'],
      ['new', '192.0.2.3', 'REACHABLE'],
      ['gone', '192.0.2.1', 'STALE'],
    ])
  })
})
