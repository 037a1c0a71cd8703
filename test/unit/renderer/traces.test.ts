import { beforeEach, describe, expect, it } from 'vitest'
import { fake, settle } from './fake-window'
import { traceView } from './trace-samples'
import type { TraceListItem } from '../../../electron/shared/trace'
import { navigation } from '../../../renderer/state/navigation.svelte'
import { pause } from '../../../renderer/state/pause.svelte'
import { traceDraft } from '../../../renderer/state/trace-draft.svelte'
import { traces } from '../../../renderer/state/traces.svelte'

const item = (traceKey: number): TraceListItem => ({
  traceKey,
  host: `host${traceKey}.example`,
  destination: `198.51.100.${traceKey}`,
  protocol: 'icmp',
  state: 'running',
  avgMs: null,
  lossPct: 0,
})

beforeEach(() => {
  traces.items = []
  traces.selectedKey = 0
  traces.view = null
  traces.failure = null
  for (const name of ['trace.start', 'trace.list', 'trace.query', 'trace.control'] as const)
    Reflect.deleteProperty(fake.handlers, name)
})

describe('the list of traces', () => {
  it('shows the first one that it hears of', async () => {
    fake.handlers['trace.list'] = () => [item(4), item(5)]
    const stop = traces.open()
    await settle()
    expect(traces.selectedKey).toBe(4)
    stop()
  })

  it('keeps a trace selected that it does not name yet', async () => {
    fake.handlers['trace.start'] = () => ({ ok: true, traceKey: 7 })
    const stop = traces.open()
    await settle()
    await traces.start({ ...traceDraft.options, host: 'host7.example' })
    fake.emit('traces', [item(6)])
    expect(traces.selectedKey).toBe(7)
    stop()
  })

  it('shows the neighbour of the one that is closed', async () => {
    fake.handlers['trace.list'] = () => [item(1), item(2), item(3)]
    const stop = traces.open()
    await settle()
    traces.selectedKey = 2
    await traces.control(2, 'close')
    expect(traces.selectedKey).toBe(3)
    await traces.control(3, 'close')
    expect(traces.selectedKey).toBe(1)
    await traces.control(1, 'close')
    expect(traces.selectedKey).toBe(0)
    stop()
  })
})

describe('the selected trace', () => {
  beforeEach(() => {
    fake.handlers['trace.query'] = ({ traceKey }) => traceView(traceKey)
    traces.selectedKey = 3
  })

  it('is followed', async () => {
    const stop = traces.follow()
    await settle()
    expect(traces.view?.round).toBe(1)
    fake.emit('trace', traceView(3, { round: 2 }))
    fake.emit('trace', traceView(8, { round: 9 }))
    expect(traces.view?.round).toBe(2)
    stop()
    expect(fake.requests.at(-1)?.name).toBe('trace.release')
    fake.emit('trace', traceView(3, { round: 3 }))
    expect(traces.view?.round).toBe(2)
  })

  it('stands still while the window is paused, and catches up', async () => {
    const stop = traces.follow()
    await settle()
    pause.toggle()
    fake.emit('trace', traceView(3, { round: 2 }))
    expect(traces.view?.round).toBe(1)
    fake.handlers['trace.query'] = ({ traceKey }) => traceView(traceKey, { round: 5 })
    pause.toggle()
    await settle()
    expect(traces.view?.round).toBe(5)
    stop()
  })

  it('is not overwritten by a late answer for the one before', async () => {
    traces.follow()()
    traces.selectedKey = 4
    const stop = traces.follow()
    await settle()
    expect(traces.view?.traceKey).toBe(4)
    stop()
  })
})

describe('a start that fails', () => {
  it('says why and keeps what is shown', async () => {
    const failure = { code: 'unknownHost', message: 'There is no host x.', fix: 'Check the spelling.' }
    fake.handlers['trace.start'] = () => ({ ok: false, failure })
    traces.selectedKey = 2
    expect(await traces.start({ ...traceDraft.options, host: 'x' })).toBe(false)
    expect(traces.failure).toEqual(failure)
    expect(traces.selectedKey).toBe(2)
  })
})

describe('the way from a flow to its trace', () => {
  const started = () => fake.requests.findLast(({ name }) => name === 'trace.start')?.params

  it.each([
    ['TCP', 'tcp', 443],
    ['UDP', 'udp', 443],
    ['ICMP', 'icmp', 0],
  ])('of protocol %s presets protocol and port', (protocol, expected, port) => {
    fake.handlers['trace.start'] = () => ({ ok: true, traceKey: 1 })
    navigation.tab = 'connections'
    traceDraft.set({ maxTtl: 3 })
    navigation.startTrace({ protocol, remoteAddress: '198.51.100.7', remotePort: 443, interface: 'eth0' })
    expect(navigation.tab).toBe('trace')
    expect(started()).toMatchObject({ host: '198.51.100.7', protocol: expected, port, maxTtl: 30, interface: '' })
    return settle()
  })

  it('names the interface of a link-local address', () => {
    fake.handlers['trace.start'] = () => ({ ok: true, traceKey: 1 })
    navigation.startTrace({ protocol: 'UDP', remoteAddress: 'fe80::1', remotePort: 53, interface: 'wlan0' })
    expect(started()).toMatchObject({ host: 'fe80::1', interface: 'wlan0' })
    return settle()
  })
})

describe('the draft', () => {
  it('counts and forgets the options that were changed', () => {
    traceDraft.options = { ...traceDraft.options, host: 'a.example', protocol: 'tcp', port: 443, maxTtl: 12, flows: 4 }
    expect(traceDraft.changed).toEqual(expect.arrayContaining(['maxTtl', 'flows']))
    expect(traceDraft.changed).not.toContain('port')
    traceDraft.reset()
    expect(traceDraft.changed).toEqual([])
    expect(traceDraft.options).toMatchObject({ host: 'a.example', protocol: 'tcp', port: 443, maxTtl: 30 })
  })
})
