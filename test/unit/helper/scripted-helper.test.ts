import { describe, expect, it } from 'vitest'
import { defaultCaptureOptions, type Helper } from '../../../electron/helper/helper'
import { connectScripted, type ScriptOptions } from '../../../electron/helper/scripted-helper'
import { createMonitor } from '../../../electron/monitor/monitor'
import type { HelperMessage } from '../../../electron/shared/helper-messages'
import type { ConnectionsView, ProcessesView } from '../../../electron/shared/views'
import { ManualClock } from './manual-clock'

const everything = { filter: '', offset: 0, limit: 1_000_000, holdOrder: false } as const

async function tellStory(options: ScriptOptions, ticks: number) {
  const clock = new ManualClock(1_800_000_000_000)
  const monitor = createMonitor({ demo: true })
  const messages: HelperMessage[] = []
  const connected = await connectScripted({ clock, ...options })({
    message: (message) => {
      messages.push(message)
      monitor.apply(message, clock.nowMs())
      if (message.type === 'tick') monitor.tick(message.timeMs)
    },
    ended: () => undefined,
  })
  if (!connected.ok) throw new Error(connected.failure.message)
  const helper: Helper = connected.value
  await helper.start(defaultCaptureOptions)
  clock.advance(ticks * 1000)
  const processes: ProcessesView = monitor
    .openProcesses()
    .view({ ...everything, sort: { column: 'rxBytes', descending: true } })
  const connections: ConnectionsView = monitor
    .openConnections()
    .view({ ...everything, sort: { column: 'rxBytes', descending: true }, group: 'all' })
  return { helper, monitor, messages, processes, connections, clock }
}

describe('the scripted helper', () => {
  it('shows a busy desktop: many processes, flows of every kind, and reasons', async () => {
    const { processes, connections } = await tellStory({}, 5)
    expect(processes.rows.length).toBeGreaterThanOrEqual(36)
    expect(connections.rows.filter((row) => !row.ended).length).toBeGreaterThan(400)
    expect(new Set(connections.rows.map(({ protocol }) => protocol))).toEqual(
      new Set(['TCP', 'UDP', 'ICMP', 'ICMPv6', '0x0806', '0x88cc']),
    )
    expect(new Set(connections.rows.map(({ family }) => family))).toEqual(new Set([0, 4, 6]))
    expect(processes.unattributed.reasons.length).toBeGreaterThan(5)
  })

  it('adds up to the byte, over flows that come, go and find their owner', async () => {
    const { processes, monitor, helper } = await tellStory({}, 180)
    await helper.stop()
    const { captured, unattributed, rows } = processes
    for (const member of ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const) {
      expect(rows.reduce((sum, row) => sum + row[member], unattributed[member])).toBe(captured[member])
    }
    const status = monitor.status({ state: 'running', version: '', pid: 1, restarts: 0, message: '' })
    expect(status.interfaces.reduce((sum, { rxBytes }) => sum + rxBytes, 0)).toBe(status.captured.rxBytes)
    expect(status.interfaces.reduce((sum, { txBytes }) => sum + txBytes, 0)).toBe(status.captured.txBytes)
    expect(captured.rxBytes).toBeGreaterThan(1_000_000)
  })

  it('tells the same story again for the same seed', async () => {
    const [first, second, other] = await Promise.all([
      tellStory({ seed: 7 }, 30),
      tellStory({ seed: 7 }, 30),
      tellStory({ seed: 8 }, 30),
    ])
    expect(second.processes).toEqual(first.processes)
    expect(second.connections).toEqual(first.connections)
    expect(other.processes.captured).not.toEqual(first.processes.captured)
  })

  it('fills up to any number of flows, all of them moving', async () => {
    const { messages, connections } = await tellStory({ flows: 10_000 }, 3)
    const last = messages.filter((message) => message.type === 'flows').at(-1)
    expect(last?.count).toBeGreaterThan(8000)
    expect(connections.totalCount).toBeGreaterThanOrEqual(10_000)
  })

  it('ends every flow when it is told to stop', async () => {
    const { helper, monitor } = await tellStory({}, 3)
    expect((await helper.stop()).ok).toBe(true)
    expect(monitor.status({ state: 'running', version: '', pid: 1, restarts: 0, message: '' }).flowCount).toBe(0)
    expect((await helper.stop()).ok).toBe(false)
  })
})
