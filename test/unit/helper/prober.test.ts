import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Helper, OpenedTrace, ProbeOrder } from '../../../electron/helper/helper'
import { maxProbesPerOrder } from '../../../electron/helper/helper'
import { Prober, traceOpening, type ProbePlan } from '../../../electron/helper/prober'
import { fail, succeed, type Failure, type Outcome } from '../../../electron/shared/errors'
import { defaultTraceOptions, type ProbeItem } from '../../../electron/shared/trace'
import { ManualClock } from './manual-clock'

/** A plan that wants what the test tells it to want. */
class FakePlan implements ProbePlan {
  orders: ProbeOrder[] = []
  dueMs: number | null = null
  readonly taken: ProbeItem[] = []
  failed = 0

  nextProbes(): ProbeOrder | null {
    return this.orders.shift() ?? null
  }
  apply(items: readonly ProbeItem[]): void {
    this.taken.push(...items)
  }
  nextRoundMs(): number | null {
    return this.dueMs
  }
  fail(): void {
    this.failed += 1
  }
}

/** A helper that answers orders when the test says so. */
function fakeHelper(features = ['trace']) {
  const orders: { traceId: number; order: ProbeOrder; answer: (outcome: Outcome<number>) => void }[] = []
  const closed: number[] = []
  let lastId = 0
  const opened = (): OpenedTrace => ({
    traceId: (lastId += 1),
    source: '192.0.2.1',
    sourcePort: 0,
    method: 'raw',
    limits: [],
  })
  const helper = {
    hello: { features, helperVersion: '0.1.0' },
    traceOpen: vi.fn(() => Promise.resolve<Outcome<OpenedTrace>>(succeed(opened()))),
    traceProbes: (traceId: number, order: ProbeOrder) =>
      new Promise<Outcome<number>>((resolve) => {
        orders.push({ traceId, order, answer: resolve })
      }),
    traceClose: (traceId: number) => {
      closed.push(traceId)
      return Promise.resolve(succeed(null))
    },
  }
  return { helper: helper as unknown as Helper, open: helper.traceOpen, orders, closed }
}

const opening = traceOpening({ ...defaultTraceOptions, host: 'host.example' }, '198.51.100.9', '')
const order = (round: number, count = 1): ProbeOrder => ({
  round,
  waitMs: 1000,
  probes: Array.from({ length: count }, (_, index) => ({ ttl: index + 1, flow: 0 })),
})
const item = (traceId: number): ProbeItem => ({ traceId, round: 1, flow: 0, ttl: 1, sentUs: 0, outcome: 'noReply' })
const settle = () => new Promise((resolve) => setImmediate(resolve))

let clock: ManualClock
let fake: ReturnType<typeof fakeHelper>
let running: Helper | null
let prober: Prober
let plan: FakePlan
const listener = {
  changed: vi.fn(),
  unsent: vi.fn<(reason: string) => void>(),
  failed: vi.fn<(failure: Failure) => void>(),
}

beforeEach(() => {
  clock = new ManualClock()
  fake = fakeHelper()
  running = fake.helper
  prober = new Prober(() => running, clock)
  plan = new FakePlan()
  listener.changed.mockClear()
  listener.failed.mockClear()
})

describe('opening', () => {
  it('begins the first round at once', async () => {
    plan.orders.push(order(1, 3))
    expect(await prober.open(opening, plan, listener)).toMatchObject({ ok: true, value: { traceId: 1 } })
    expect(fake.orders).toMatchObject([{ traceId: 1, order: { round: 1, probes: [{}, {}, {}] } }])
  })

  it('fails without a helper, with one that cannot, and when the helper refuses', async () => {
    running = null
    expect(await prober.open(opening, plan, listener)).toMatchObject({ failure: { code: 'helperNotRunning' } })
    running = fakeHelper(['capture']).helper
    expect(await prober.open(opening, plan, listener)).toMatchObject({ failure: { code: 'traceUnsupported' } })
    running = fake.helper
    fake.open.mockResolvedValueOnce(fail('refusedDestination', 'No.'))
    expect(await prober.open(opening, plan, listener)).toMatchObject({ failure: { code: 'refusedDestination' } })
  })

  it('takes the interface of a link-local address, unless another is asked for', () => {
    const options = { ...defaultTraceOptions, host: 'fe80::1%eth0' }
    expect(traceOpening(options, 'fe80::1', 'eth0').interface).toBe('eth0')
    expect(traceOpening({ ...options, interface: 'eth1' }, 'fe80::1', 'eth0').interface).toBe('eth1')
  })
})

describe('probing', () => {
  it('asks the plan again after items and when a round is due', async () => {
    plan.dueMs = clock.nowMs() + 1000
    await prober.open(opening, plan, listener)
    plan.orders.push(order(1))
    prober.take([item(1), item(9)])
    expect(plan.taken).toEqual([item(1)])
    expect(listener.changed).toHaveBeenCalledTimes(1)
    expect(fake.orders).toHaveLength(1)
    fake.orders[0]?.answer(succeed(1))
    plan.orders.push(order(2))
    plan.dueMs = null
    clock.advance(1000)
    expect(fake.orders.at(-1)?.order.round).toBe(2)
    expect(listener.changed).toHaveBeenCalledTimes(2)
  })

  it('splits an order that is larger than one request takes', async () => {
    plan.orders.push(order(1, maxProbesPerOrder + 44))
    await prober.open(opening, plan, listener)
    expect(fake.orders.map((sent) => sent.order.probes.length)).toEqual([maxProbesPerOrder, 44])
  })

  it('has few requests open, however many traces want to send', async () => {
    for (let index = 0; index < 20; index += 1) {
      const other = new FakePlan()
      other.orders.push(order(1))
      await prober.open(opening, other, listener)
    }
    expect(fake.orders).toHaveLength(4)
    for (const { answer } of fake.orders) {
      answer(succeed(1))
      await settle()
    }
    expect(fake.orders.map(({ traceId }) => traceId)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  it('asks again when a paused trace is woken', async () => {
    const opened = await prober.open(opening, plan, listener)
    plan.orders.push(order(2))
    if (opened.ok) opened.value.wake()
    expect(fake.orders).toHaveLength(1)
  })
})

describe('probes that the kernel refuses', () => {
  it('are told with its reason, and closed in the plan', async () => {
    await prober.open(opening, plan, listener)
    const refused: ProbeItem = { ...item(1), outcome: 'unsent', errorCode: 'ENETUNREACH', message: 'No route.' }
    prober.take([refused])
    expect(listener.unsent).toHaveBeenCalledWith('No route.')
    expect(plan.taken).toEqual([refused])
  })
})

describe('the end', () => {
  it('of a trace is told to the helper once, and later items to nobody', async () => {
    const opened = await prober.open(opening, plan, listener)
    if (!opened.ok) throw new Error(opened.failure.message)
    opened.value.close()
    opened.value.close()
    prober.take([item(1)])
    expect(fake.closed).toEqual([1])
    expect(plan.taken).toEqual([])
  })

  it('of the helper fails every trace', async () => {
    await prober.open(opening, plan, listener)
    running = null
    prober.helperLost()
    prober.helperLost()
    expect(plan.failed).toBe(1)
    expect(listener.failed.mock.calls).toMatchObject([[{ code: 'helperGone' }]])
  })

  it('comes when the helper refuses an order', async () => {
    plan.orders.push(order(1))
    await prober.open(opening, plan, listener)
    fake.orders[0]?.answer(fail('noSuchTrace', 'There is no trace 1.'))
    await settle()
    expect(plan.failed).toBe(1)
    expect(fake.closed).toEqual([1])
    expect(listener.failed).toHaveBeenCalledWith({ code: 'noSuchTrace', message: 'There is no trace 1.', fix: '' })
  })
})
