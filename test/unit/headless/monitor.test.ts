/** `monitor` from options to lines, on the scripted helper. */
import { describe, expect, it } from 'vitest'
import { monitorFile } from '../../../electron/headless/file-session'
import { monitorLive } from '../../../electron/headless/live-session'
import { createReport, type ReportOptions } from '../../../electron/headless/report'
import type { End } from '../../../electron/headless/until-end'
import { defaultCaptureOptions, type HelperConnector } from '../../../electron/helper/helper'
import { connectScripted } from '../../../electron/helper/scripted-helper'
import { createMonitor } from '../../../electron/monitor/monitor'
import type { Failure } from '../../../electron/shared/errors'
import { fail, succeed } from '../../../electron/shared/errors'
import type { HelperEnd } from '../../../electron/shared/helper-messages'
import { flows, hello, record, tick } from '../monitor/builders'
import { FakeOutput } from './fake-output'

class ManualEnd implements End {
  reach: () => void = () => undefined
  readonly reached = new Promise<void>((resolve) => {
    this.reach = resolve
  })
  startTime = () => undefined
  cancel = () => undefined
}

const jsonl: ReportOptions = { format: 'jsonl', flows: true, filter: '' }

function session(connect: HelperConnector, options: ReportOptions = jsonl, interfaces: string[] | null = null) {
  const fake = new FakeOutput()
  const end = new ManualEnd()
  const monitor = createMonitor()
  const capture = { ...defaultCaptureOptions, interfaces, tickMs: 100 }
  const report = createReport(options, monitor, fake.output)
  return { fake, end, session: { connect, capture, monitor, report, end, output: fake.output } }
}

type Line = Record<string, unknown> & {
  interfaces: Record<string, number>[]
  processes: Record<string, number>[]
  unattributed: Record<string, number> & { reasons: Record<string, number> }
  flows: Record<string, unknown>[]
}

/** Resolves when so many lines of a type were printed. */
async function untilLines(fake: FakeOutput, type: string, count: number): Promise<void> {
  await expect
    .poll(() => fake.lines.filter((line) => line['type'] === type).length, { timeout: 5000 })
    .toBeGreaterThanOrEqual(count)
}

describe('monitor on live traffic', () => {
  it('prints hello, ticks and a summary, each with everything the contract names', async () => {
    const { fake, end, session: live } = session(connectScripted())
    const running = monitorLive(live)
    // By then the story's owners have been found.
    await untilLines(fake, 'tick', 7)
    end.reach()
    expect(await running).toBe(0)
    expect(fake.stderr).toBe('')
    const lines = fake.lines as Line[]
    expect(lines.map(({ type }) => type)).toEqual(['hello', ...lines.slice(2).map(() => 'tick'), 'summary'])
    expect(Object.keys(lines[0] ?? {})).toEqual(expect.arrayContaining(['helperPid', 'helperVersion', 'interfaces']))

    const summary = lines.at(-1) as Line
    const totals = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets']
    expect(Object.keys(summary)).toEqual(
      expect.arrayContaining(['timeMs', 'interfaces', 'processes', 'unattributed', 'flows']),
    )
    expect(Object.keys(summary.interfaces[0] ?? {})).toEqual(
      expect.arrayContaining(['name', 'linkType', ...totals, 'dropped']),
    )
    expect(Object.keys(summary.processes[0] ?? {})).toEqual(
      expect.arrayContaining(['pid', 'name', 'exe', 'user', ...totals, 'rxRate', 'txRate']),
    )
    expect(Object.keys(summary.unattributed)).toEqual(expect.arrayContaining([...totals, 'reasons']))
    expect(Object.keys(summary.flows[0] ?? {})).toEqual(
      expect.arrayContaining([
        ...['protocol', 'localAddress', 'localPort', 'remoteAddress', 'remotePort', 'interface', ...totals],
        ...['state', 'pid', 'process', 'attribution', 'reason'],
      ]),
    )
    for (const member of totals) {
      const sum = (rows: Record<string, unknown>[]) => rows.reduce((all, row) => all + (row[member] as number), 0)
      expect(sum([...summary.processes, summary.unattributed])).toBe(sum(summary.interfaces))
      expect(sum(summary.flows)).toBe(sum(summary.interfaces))
    }
    const ownerless = summary.flows.find(({ attribution }) => attribution === 'none')
    expect(ownerless).toMatchObject({ pid: null, process: null })
  })

  it('leaves flows out unless they are asked for, and reports only what the filter finds', async () => {
    const { fake, end, session: live } = session(connectScripted(), { ...jsonl, flows: false, filter: 'firefox' })
    const running = monitorLive(live)
    await untilLines(fake, 'tick', 7)
    end.reach()
    await running
    const summary = fake.lines.at(-1) as Line
    expect(summary).not.toHaveProperty('flows')
    expect(summary.processes.map(({ name }) => name)).toEqual(['firefox'])
  })

  it('ends with 1 and one line for what the command line asks for and cannot be had', async () => {
    const { fake, session: live } = session(connectScripted(), jsonl, ['nowhere0'])
    expect(await monitorLive(live)).toBe(1)
    expect(fake.stdout).toBe('')
    expect(fake.stderr).toMatch(/^netloupe: .*nowhere0.*\n$/)
  })

  it('ends with 1 and one line when there is no helper', async () => {
    const failure: Failure = { code: 'helperMissing', message: 'The helper is not there.', fix: 'Build it.' }
    const { fake, session: live } = session(() => Promise.resolve({ ok: false, failure }))
    expect(await monitorLive(live)).toBe(1)
    expect(fake.stderr).toBe('netloupe: The helper is not there. Build it.\n')
  })

  it('goes on with sockets, and says so, where it may not capture', async () => {
    const reason = { code: 'needsNetRaw', detail: 'No capture.', fix: 'Grant it.' }
    const connect: HelperConnector = async (events) => {
      const scripted = await connectScripted()({
        message: (message) => {
          if (message.type !== 'hello') return
          events.message({ ...message, privileges: { ...message.privileges, netRaw: false } })
          events.message({ type: 'degraded', reasons: [reason] })
        },
        ended: events.ended,
      })
      if (!scripted.ok) return scripted
      const helper = scripted.value
      await helper.start(defaultCaptureOptions)
      return succeed(
        new Proxy(helper, {
          get: (target, name) => {
            if (name === 'start') return () => Promise.resolve(fail('needsNetRaw', 'No capture.', 'Grant it.'))
            const value: unknown = Reflect.get(target, name)
            return typeof value === 'function' ? (value.bind(target) as unknown) : value
          },
        }),
      )
    }
    const { fake, end, session: live } = session(connect)
    const running = monitorLive(live)
    await untilLines(fake, 'tick', 1)
    end.reach()
    expect(await running).toBe(0)
    expect(fake.lines.map(({ type }) => type)).toEqual(['hello', 'degraded', 'tick', 'summary'])
    expect(fake.lines[1]).toEqual({ type: 'degraded', reasons: [reason] })
    expect(fake.lines[2]).toMatchObject({ measured: false, interfaces: [] })
    expect((fake.lines[2] as Line).flows.length).toBeGreaterThan(100)
    expect(fake.stderr).toBe('netloupe: No capture. Grant it.\n')
  })

  it('shows a table to people', async () => {
    const { fake, end, session: live } = session(connectScripted(), { ...jsonl, format: 'table' })
    const running = monitorLive(live)
    await expect.poll(() => fake.stdout).toContain('firefox')
    end.reach()
    await running
    expect(fake.stdout).toMatch(/PROCESS +PID +USER/)
    expect(fake.stdout).toContain('(unattributed)')
    expect(fake.stdout).not.toContain('{')
  })
})

describe('monitor on a file', () => {
  const endOfFile: HelperEnd = { type: 'end', reason: 'endOfFile', packets: 2, offsetBytes: 200, message: '', fix: '' }

  /** A helper that reads one flow and then comes to this end. */
  function reading(end: HelperEnd | Failure): HelperConnector {
    return async (events) => {
      const scripted = await connectScripted()({ message: () => undefined, ended: () => undefined })
      if (!scripted.ok) return scripted
      const helper = scripted.value
      events.message(hello({}, 'read'))
      return succeed(
        new Proxy(helper, {
          get: (target, name) => {
            if (name === 'start') {
              return () => {
                queueMicrotask(() => {
                  events.message(flows(1, [record(1, { reason: 'recorded', rxBytes: 120, rxPackets: 2, ended: true })]))
                  events.message(tick(1, 1_000_000))
                  if ('type' in end) events.message(end)
                  else events.ended(end)
                })
                return Promise.resolve(succeed([]))
              }
            }
            if (name === 'close') return () => Promise.resolve()
            return Reflect.get(target, name) as unknown
          },
        }),
      )
    }
  }

  it('ends by itself with a summary of all flows', async () => {
    const { fake, session: file } = session(reading(endOfFile))
    expect(await monitorFile(file)).toBe(0)
    expect(fake.stderr).toBe('')
    expect(fake.lines.at(-1)).toMatchObject({
      type: 'summary',
      timeMs: 1_000_000,
      processes: [],
      unattributed: { rxBytes: 120, reasons: { recorded: 120 } },
      flows: [{ reason: 'recorded', rxBytes: 120, ended: true }],
    })
  })

  it('gives what it has of a damaged one, and fails', async () => {
    const damaged: HelperEnd = { ...endOfFile, reason: 'damagedFile', message: 'Cut off at byte 200.' }
    const { fake, session: file } = session(reading(damaged))
    expect(await monitorFile(file)).toBe(1)
    expect(fake.lines.at(-1)).toMatchObject({ type: 'summary', unattributed: { rxBytes: 120 } })
    expect(fake.stderr).toBe('netloupe: Cut off at byte 200.\n')
  })

  it('fails without a summary when the helper dies', async () => {
    const { fake, session: file } = session(reading({ code: 'helperDied', message: 'It died.', fix: '' }))
    expect(await monitorFile(file)).toBe(1)
    expect(fake.lines.some(({ type }) => type === 'summary')).toBe(false)
    expect(fake.stderr).toBe('netloupe: It died.\n')
  })
})
