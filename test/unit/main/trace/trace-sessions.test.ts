import { beforeEach, describe, expect, it, vi } from 'vitest'
import { TraceSessions } from '../../../../electron/main/trace/trace-sessions'
import type { Helper, HelperEvents } from '../../../../electron/helper/helper'
import { Prober } from '../../../../electron/helper/prober'
import { scriptedHostAddress } from '../../../../electron/helper/scripted-names'
import { connectScripted } from '../../../../electron/helper/scripted-helper'
import { defaultTraceOptions, type AddressInfo, type TraceOptions } from '../../../../electron/shared/trace'
import { FakeClock } from '../fake-clock'

const startMs = 1_700_000_000_000
const options: TraceOptions = { ...defaultTraceOptions, host: 'mirror.example' }

/** The real sessions over the scripted helper, with time in the test's hand. */
async function setUp() {
  const clock = new FakeClock(startMs)
  let helper: Helper | null = null
  const prober = new Prober(() => helper, clock)
  const events: HelperEvents = {
    message: (message) => {
      if (message.type === 'probes') prober.take(message.items)
    },
    ended: () => undefined,
  }
  const connected = await connectScripted({ clock })(events)
  if (!connected.ok) throw new Error(connected.failure.message)
  helper = connected.value
  const onTrace = vi.fn<(traceKey: number) => void>()
  const onList = vi.fn()
  const known = new Map<string, Partial<AddressInfo>>()
  const book = {
    problems: [{ code: 'noPlaceDatabase', detail: 'Places are unknown.', fix: 'Install them.' }],
    info: (address: string): AddressInfo => ({
      address,
      kind: 'public',
      name: '',
      asNumber: null,
      asName: '',
      place: null,
      ...known.get(address),
    }),
  }
  const sessions = new TraceSessions({
    prober,
    helper: () => helper,
    resolve: scriptedHostAddress,
    book,
    clock,
    onTrace,
    onList,
  })
  const lose = () => {
    helper = null
    prober.helperLost()
  }
  const start = async (changes: Partial<TraceOptions> = {}): Promise<number> => {
    const started = await sessions.start({ ...options, ...changes })
    if (!started.ok) throw new Error(started.failure.message)
    return started.value
  }
  /** Lets time pass in small steps, so that answers and what they set off take turns. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      clock.advance(20)
      await clock.settle()
    }
  }
  return { clock, sessions, onTrace, onList, known, lose, start, pass }
}

let parts: Awaited<ReturnType<typeof setUp>>
beforeEach(async () => {
  parts = await setUp()
})

describe('starting', () => {
  it('names what is wrong with the options or the host, and leaves nothing behind', async () => {
    const { sessions } = parts
    expect(await sessions.start({ ...options, maxTtl: 0 })).toMatchObject({ failure: { code: 'badTraceOption' } })
    expect(await sessions.start({ ...options, host: 'nobody.example' })).toMatchObject({
      failure: { code: 'unknownHost' },
    })
    expect(await sessions.start({ ...options, host: '224.0.0.1' })).toMatchObject({
      failure: { code: 'refusedDestination' },
    })
    expect(sessions.list()).toEqual([])
  })

  it('gives a key under which the path grows', async () => {
    const { sessions, start, pass } = parts
    const traceKey = await start()
    expect(sessions.view(traceKey)).toMatchObject({ traceKey, destination: '128.112.1.1', state: 'running', round: 1 })
    await pass(1200)
    const view = sessions.view(traceKey)
    expect(view?.hops.map(({ ttl }) => ttl)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(view?.hops.at(-1)?.isDestination).toBe(true)
    expect(view?.limits).toEqual(['Places are unknown. Install them.'])
    expect(Object.keys(view?.addresses ?? {})).toContain('128.112.1.1')
    expect(sessions.list()).toMatchObject([{ traceKey, host: 'mirror.example', state: 'running', protocol: 'icmp' }])
  })
})

describe('telling of changes', () => {
  it('happens at most five times a second, and the last change is told', async () => {
    const { start, pass, onTrace, onList } = parts
    await start({ rounds: 2 })
    onTrace.mockClear()
    onList.mockClear()
    await pass(1000)
    expect(onTrace.mock.calls.length).toBeGreaterThan(0)
    expect(onTrace.mock.calls.length).toBeLessThanOrEqual(5)
    expect(onList.mock.calls.length).toBeLessThanOrEqual(2)
    await pass(3000)
    onTrace.mockClear()
    await pass(2000)
    expect(onTrace).not.toHaveBeenCalled()
  })

  it('includes what becomes known of a shown address, and of no other', async () => {
    const { sessions, start, pass, onTrace, known } = parts
    const traceKey = await start({ rounds: 1 })
    await pass(3000)
    onTrace.mockClear()
    sessions.addressChanged('203.0.113.99')
    expect(onTrace).not.toHaveBeenCalled()
    known.set('192.0.2.1', { name: 'gateway' })
    sessions.addressChanged('192.0.2.1')
    expect(onTrace).toHaveBeenCalledWith(traceKey)
    expect(sessions.view(traceKey)?.addresses['192.0.2.1']?.name).toBe('gateway')
  })
})

describe('steering', () => {
  it('pauses and goes on', async () => {
    const { sessions, start, pass } = parts
    const traceKey = await start()
    await pass(100)
    await sessions.control(traceKey, 'pause')
    await pass(5000)
    expect(sessions.view(traceKey)).toMatchObject({ state: 'paused', round: 1 })
    await sessions.control(traceKey, 'resume')
    await pass(100)
    expect(sessions.view(traceKey)).toMatchObject({ state: 'running', round: 2 })
  })

  it('stops, and still counts what was on the way', async () => {
    const { sessions, start, pass } = parts
    const traceKey = await start()
    await sessions.control(traceKey, 'stop')
    await pass(3000)
    const view = sessions.view(traceKey)
    expect(view).toMatchObject({ state: 'finished', round: 1 })
    expect(view?.hops.every(({ open }) => open === 0)).toBe(true)
    expect(view?.hops[0]?.received).toBe(1)
  })

  it('begins anew under the same key', async () => {
    const { sessions, start, pass } = parts
    const traceKey = await start()
    await pass(3500)
    expect(sessions.view(traceKey)?.round).toBe(4)
    expect(await sessions.control(traceKey, 'restart')).toEqual({ ok: true })
    await pass(500)
    expect(sessions.view(traceKey)).toMatchObject({ state: 'running', round: 1 })
    expect(sessions.list()).toHaveLength(1)
  })

  it('closes, after which the key means nothing', async () => {
    const { sessions, start } = parts
    const traceKey = await start()
    await sessions.control(traceKey, 'close')
    expect(sessions.view(traceKey)).toBeNull()
    expect(sessions.list()).toEqual([])
    expect(await sessions.control(traceKey, 'pause')).toMatchObject({ failure: { code: 'noSuchTrace' } })
  })

  it('frees the helper’s places: finished and closed traces do not count', async () => {
    const { sessions, start, pass } = parts
    for (let index = 0; index < 40; index += 1) {
      const traceKey = await start({ host: 'resolver.example', rounds: 1 })
      if (index % 2 === 0) await sessions.control(traceKey, 'close')
      else await pass(1100)
    }
    expect(sessions.list()).toHaveLength(20)
  }, 20_000)
})

describe('the end of the helper', () => {
  it('fails the trace and says why; what was measured stays', async () => {
    const { sessions, start, pass, lose } = parts
    const traceKey = await start()
    await pass(1500)
    lose()
    const view = sessions.view(traceKey)
    expect(view).toMatchObject({ state: 'failed', failure: { code: 'helperGone' } })
    expect(view?.hops).toHaveLength(9)
    expect(await sessions.control(traceKey, 'restart')).toMatchObject({ failure: { code: 'helperNotRunning' } })
  })
})
