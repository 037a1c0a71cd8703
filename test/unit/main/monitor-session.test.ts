import { beforeEach, describe, expect, it, vi } from 'vitest'
import { MonitorSession } from '../../../electron/main/monitor-session'
import type { Helper, HelperConnector } from '../../../electron/helper/helper'
import type { HelperStatus, Supervisor, SupervisorOptions } from '../../../electron/helper/supervisor'
import type { HelperTick, SocketRecord } from '../../../electron/shared/helper-messages'
import type { Monitor } from '../../../electron/monitor/monitor'
import { succeed, type Outcome } from '../../../electron/shared/errors'
import type { ProbeItem } from '../../../electron/shared/trace'
import { FakeClock } from './fake-clock'

const stopped: HelperStatus = {
  state: 'stopped',
  version: '',
  pid: 0,
  restarts: 0,
  message: '',
  captureFailure: null,
}
const running: HelperStatus = { ...stopped, state: 'running', pid: 40, version: '0.1.0' }
const tick = (timeMs: number): HelperTick => ({
  type: 'tick',
  tick: 1,
  timeMs,
  interfaces: [],
  lookup: { pending: 0, overloaded: 0 },
})

/** A supervisor that the test speaks for, and a monitor that writes down what it was told. */
function setUp() {
  const clock = new FakeClock(1_000_000)
  const told: string[] = []
  const note = (name: string) => (_value: unknown, nowMs: number) => void told.push(`${name} ${nowMs - 1_000_000}`)
  const monitor = {
    measured: true,
    apply: note('apply'),
    applySockets: note('sockets'),
    tick: (nowMs: number) => void told.push(`tick ${nowMs - 1_000_000}`),
    helperLost: (nowMs: number) => void told.push(`lost ${nowMs - 1_000_000}`),
    gap: (nowMs: number) => void told.push(`gap ${nowMs - 1_000_000}`),
  }
  const sockets = vi.fn<() => Promise<Outcome<SocketRecord[]>>>(() => Promise.resolve(succeed([])))
  let wiring: SupervisorOptions | undefined
  const supervisor = {
    status: running,
    helper: { sockets } as Partial<Helper> as Helper,
    start: vi.fn<Supervisor['start']>(),
    restart: vi.fn<Supervisor['restart']>(() => Promise.resolve()),
    stop: vi.fn<Supervisor['stop']>(() => Promise.resolve()),
  }
  const prober = { take: vi.fn<(items: readonly ProbeItem[]) => void>(), helperLost: vi.fn() }
  const onTick = vi.fn()
  const onStatus = vi.fn()
  const session = new MonitorSession({
    monitor: monitor as Partial<Monitor> as Monitor,
    connect: (() => Promise.reject(new Error('unused'))) as HelperConnector,
    createSupervisor: (options) => {
      wiring = options
      return supervisor
    },
    clock,
    loopback: true,
    prober,
    onTick,
    onStatus,
  })
  if (!wiring) throw new Error('The session made no supervisor.')
  return { session, clock, told, monitor, sockets, supervisor, prober, onTick, onStatus, says: wiring }
}

let parts: ReturnType<typeof setUp>
beforeEach(() => {
  parts = setUp()
  parts.session.start()
})

describe('probes', () => {
  it('go to the traces and not to the monitor; the end of the helper goes to both', () => {
    parts.says.onMessage({ type: 'probes', items: [] })
    expect(parts.prober.take).toHaveBeenCalledWith([])
    expect(parts.told).toEqual([])
    parts.says.onStatus({ ...stopped, state: 'restarting' })
    expect(parts.prober.helperLost).toHaveBeenCalledTimes(1)
    expect(parts.told).toEqual(['lost 0'])
  })
})

describe('ticks', () => {
  it('applies a tick, lets the monitor reckon with its own time, and tells who shows it', () => {
    parts.says.onMessage(tick(1_000_250))
    expect(parts.told).toEqual(['apply 0', 'tick 250'])
    expect(parts.onTick).toHaveBeenCalledTimes(1)
  })

  it('goes on once a second when the helper falls silent, and leaves it to the helper when it speaks again', () => {
    parts.clock.advance(1499)
    expect(parts.told).toEqual([])
    parts.clock.advance(2001)
    expect(parts.told).toEqual(['tick 1500', 'tick 2500', 'tick 3500'])
    parts.says.onMessage(tick(1_003_600))
    parts.clock.advance(1499)
    expect(parts.told.slice(3)).toEqual(['apply 3500', 'tick 3600'])
  })

  it('are over once it is stopped', async () => {
    await parts.session.stop()
    parts.clock.advance(10_000)
    expect(parts.told).toEqual([])
    expect(parts.supervisor.stop).toHaveBeenCalled()
  })
})

describe('the helper’s state', () => {
  it.each(['restarting', 'failed', 'stopped'] as const)('%s means that the run is lost', (state) => {
    parts.says.onStatus({ ...stopped, state })
    expect(parts.told).toEqual(['lost 0'])
    expect(parts.onStatus).toHaveBeenCalledTimes(1)
  })

  it.each(['starting', 'running'] as const)('%s loses nothing', (state) => {
    parts.says.onStatus({ ...running, state })
    expect(parts.told).toEqual([])
    expect(parts.onStatus).toHaveBeenCalledTimes(1)
  })

  it('starts anew with or without loopback', async () => {
    expect(parts.says.capture.loopback).toBe(true)
    await parts.session.setLoopback(false)
    expect(parts.supervisor.restart).toHaveBeenCalledWith(expect.objectContaining({ loopback: false, tickMs: 1000 }))
  })
})

describe('starting the helper anew', () => {
  it('is done when it captures', async () => {
    expect(await parts.session.restartHelper()).toEqual({ ok: true })
  })

  it('says why it runs without capturing', async () => {
    const captureFailure = { code: 'needsNetRaw', message: 'Capture needs cap_net_raw.', fix: '' }
    parts.supervisor.status = { ...running, captureFailure }
    expect(await parts.session.restartHelper()).toEqual({ ok: false, failure: captureFailure })
  })

  it('says why it does not run', async () => {
    parts.supervisor.status = { ...stopped, state: 'failed', message: 'The helper is missing.' }
    expect(await parts.session.restartHelper()).toMatchObject({ failure: { message: 'The helper is missing.' } })
  })
})

describe('sleep', () => {
  it('is a gap, told at the moment of waking up', () => {
    parts.clock.advance(700)
    parts.session.resumed()
    expect(parts.told).toEqual(['gap 700'])
  })
})

describe('the reduced mode', () => {
  beforeEach(() => {
    parts.monitor.measured = false
  })

  it('reads the socket list at once and every two seconds, and ticks with it alone', async () => {
    parts.says.onStatus(running)
    await parts.clock.settle()
    parts.clock.advance(2000)
    await parts.clock.settle()
    expect(parts.told).toEqual(['sockets 0', 'tick 0', 'sockets 2000', 'tick 2000'])
  })

  it('asks once however often the state is told', async () => {
    parts.says.onStatus(running)
    parts.says.onStatus({ ...running, restarts: 1 })
    await parts.clock.settle()
    expect(parts.sockets).toHaveBeenCalledTimes(1)
  })

  it('waits for an answer before it asks again', async () => {
    parts.sockets.mockReturnValue(new Promise(() => undefined))
    parts.says.onStatus(running)
    parts.clock.advance(10_000)
    await parts.clock.settle()
    expect(parts.sockets).toHaveBeenCalledTimes(1)
  })

  it('ends with the grant, and an answer that was on its way is no longer wanted', async () => {
    parts.says.onStatus(running)
    parts.monitor.measured = true
    parts.says.onStatus(running)
    await parts.clock.settle()
    parts.clock.advance(4000)
    await parts.clock.settle()
    expect(parts.told.filter((line) => line.startsWith('sockets'))).toEqual([])
  })

  it('goes on after a question that failed', async () => {
    parts.sockets.mockResolvedValueOnce({ ok: false, failure: { code: 'timeOut', message: 'No answer.', fix: '' } })
    parts.says.onStatus(running)
    await parts.clock.settle()
    parts.clock.advance(2000)
    await parts.clock.settle()
    expect(parts.told.filter((line) => line.startsWith('sockets'))).toEqual(['sockets 2000'])
  })
})
