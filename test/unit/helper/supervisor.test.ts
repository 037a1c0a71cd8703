import { describe, expect, it } from 'vitest'
import {
  defaultCaptureOptions,
  type CaptureOptions,
  type Helper,
  type HelperEvents,
} from '../../../electron/helper/helper'
import { createSupervisor, type HelperStatus } from '../../../electron/helper/supervisor'
import { fail, succeed, type Failure, type Outcome } from '../../../electron/shared/errors'
import type { HelperHello, HelperMessage } from '../../../electron/shared/helper-messages'
import { ManualClock } from './manual-clock'

const hello: HelperHello = {
  type: 'hello',
  protocol: { major: 1, minor: 0 },
  helperVersion: '0.1.0',
  features: [],
  mode: 'live',
  privileges: { netRaw: true, sysPtrace: true, dacReadSearch: true },
  limits: { maxFlows: 1, maxFrameBytes: 1, maxControlBytes: 1, maxInterfaces: 1, maxOwners: 1 },
  bootId: '',
  pid: 100,
}
const died: Failure = { code: 'helperDied', message: 'The helper ended by SIGKILL.', fix: '' }

/** One life of a helper, steered by the test. */
class FakeHelper implements Helper {
  readonly hello: HelperHello
  readonly started: CaptureOptions[] = []
  snapshots = 0
  isClosed = false
  isStuck = false

  constructor(
    pid: number,
    readonly events: HelperEvents,
    private readonly startOutcome: Outcome<never[]>,
  ) {
    this.hello = { ...hello, pid }
  }

  start(options: CaptureOptions) {
    this.started.push(options)
    return Promise.resolve(this.startOutcome)
  }
  configure = () => Promise.resolve(succeed(null))
  stop = () => {
    if (this.isStuck) return new Promise<Outcome<null>>(() => undefined)
    this.tick(99)
    return Promise.resolve(succeed(null))
  }
  snapshot = () => {
    this.snapshots += 1
    return Promise.resolve(succeed(1))
  }
  sockets = () => Promise.resolve(succeed([]))
  interfaces = () => Promise.resolve(succeed([]))
  routes = () => Promise.resolve(succeed([]))
  neighbors = () => Promise.resolve(succeed([]))
  traceOpen = () => Promise.resolve(fail('unused', ''))
  traceProbes = () => Promise.resolve(succeed(0))
  traceClose = () => Promise.resolve(succeed(null))
  close = () => {
    if (!this.isClosed) {
      this.isClosed = true
      this.events.ended(null)
    }
    return Promise.resolve()
  }

  tick(tick: number): void {
    this.events.message({ type: 'tick', tick, timeMs: 0, interfaces: [], lookup: { pending: 0, overloaded: 0 } })
  }
}

class Stage {
  readonly clock = new ManualClock(1_000_000)
  readonly helpers: FakeHelper[] = []
  readonly messages: HelperMessage[] = []
  readonly statuses: HelperStatus[] = []
  /** What the next attempts to connect come to; a helper when there is nothing left. */
  failures: Failure[] = []
  startOutcome: Outcome<never[]> = succeed([])
  readonly supervisor = createSupervisor({
    connect: (events) => {
      const failure = this.failures.shift()
      if (failure !== undefined) return Promise.resolve({ ok: false, failure })
      const helper = new FakeHelper(100 + this.helpers.length, events, this.startOutcome)
      this.helpers.push(helper)
      events.message(helper.hello)
      return Promise.resolve(succeed(helper))
    },
    capture: defaultCaptureOptions,
    clock: this.clock,
    onMessage: (message) => this.messages.push(message),
    onStatus: (status) => this.statuses.push(status),
  })

  get helper(): FakeHelper {
    const helper = this.helpers.at(-1)
    if (helper === undefined) throw new Error('no helper was started')
    return helper
  }

  /** Lets everything that needs no time happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  }

  async start(): Promise<this> {
    this.supervisor.start()
    await this.settle()
    return this
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  /** How long after its death the next helper comes. */
  async delayAfterDeath(): Promise<number> {
    const before = this.helpers.length
    this.helper.events.ended(died)
    let waitedMs = 0
    while (this.helpers.length === before && waitedMs < 60_000) {
      await this.advance(100)
      waitedMs += 100
    }
    return waitedMs
  }
}

describe('the supervisor', () => {
  it('starts the helper and its capture', async () => {
    const { supervisor, helper, statuses, messages } = await new Stage().start()
    expect(statuses.map(({ state }) => state)).toEqual(['starting', 'running'])
    expect(supervisor.status).toMatchObject({ pid: 100, version: '0.1.0', message: '', captureFailure: null })
    expect(helper.started).toEqual([defaultCaptureOptions])
    expect(messages).toEqual([{ ...hello, pid: 100 }])
    expect(supervisor.helper).toBe(helper)
  })

  it('starts a helper that died again, ever more slowly, up to 30 s', async () => {
    const stage = await new Stage().start()
    const delays: number[] = []
    for (let death = 0; death < 10; death += 1) delays.push(await stage.delayAfterDeath())
    expect(delays).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
    expect(stage.supervisor.status).toMatchObject({ state: 'running', restarts: 10 })
  })

  it('forgives after half a minute of health', async () => {
    const stage = await new Stage().start()
    await stage.delayAfterDeath()
    await stage.delayAfterDeath()
    for (let second = 0; second < 30; second += 1) {
      stage.helper.tick(second)
      await stage.advance(1000)
    }
    expect(await stage.delayAfterDeath()).toBe(200)
  })

  it('says what happened while it waits', async () => {
    const stage = await new Stage().start()
    stage.helper.events.ended(died)
    expect(stage.supervisor.status).toMatchObject({ state: 'restarting', pid: 0 })
    expect(stage.supervisor.status.message).toContain('SIGKILL')
    expect(stage.supervisor.helper).toBeNull()
  })

  it('tries again when a helper does not come up', async () => {
    const stage = new Stage()
    stage.failures = [{ code: 'helperTimeout', message: 'No hello.', fix: '' }]
    await stage.start()
    expect(stage.supervisor.status.state).toBe('restarting')
    await stage.advance(200)
    expect(stage.supervisor.status.state).toBe('running')
  })

  it('does not try again what only the user can mend, until asked', async () => {
    const stage = new Stage()
    stage.failures = [{ code: 'helperMissing', message: 'It is not there.', fix: 'Build it.' }]
    await stage.start()
    expect(stage.supervisor.status).toMatchObject({ state: 'failed', message: 'It is not there. Build it.' })
    await stage.advance(600_000)
    expect(stage.supervisor.status.state).toBe('failed')
    await stage.supervisor.restart()
    expect(stage.supervisor.status.state).toBe('running')
  })

  it('keeps a helper that may not capture', async () => {
    const stage = new Stage()
    stage.startOutcome = fail('needsNetRaw', 'Not allowed.', 'Grant it.')
    await stage.start()
    expect(stage.supervisor.status).toMatchObject({ state: 'running', captureFailure: { code: 'needsNetRaw' } })
    await stage.advance(600_000)
    expect(stage.helpers).toHaveLength(1)
  })

  it('ends a helper that falls silent, and starts another', async () => {
    const stage = await new Stage().start()
    const { helper } = stage
    await stage.advance(9000)
    helper.tick(1)
    await stage.advance(9000)
    expect(helper.isClosed).toBe(false)
    await stage.advance(1000)
    expect(helper.isClosed).toBe(true)
    expect(stage.supervisor.status.message).toContain('silent')
    await stage.advance(200)
    expect(stage.helpers).toHaveLength(2)
  })

  it('asks for a snapshot after a gap in the ticks, and only then', async () => {
    const { helper } = await new Stage().start()
    for (const tick of [4, 5, 6]) helper.tick(tick)
    expect(helper.snapshots).toBe(0)
    helper.tick(9)
    expect(helper.snapshots).toBe(1)
    helper.tick(10)
    expect(helper.snapshots).toBe(1)
  })

  it('restarts on demand with other options, at once and without a death', async () => {
    const stage = await new Stage().start()
    const first = stage.helper
    const capture = { ...defaultCaptureOptions, loopback: true }
    await stage.supervisor.restart(capture)
    expect(first.isClosed).toBe(true)
    expect(stage.helpers).toHaveLength(2)
    expect(stage.helper.started).toEqual([capture])
    expect(stage.supervisor.status).toMatchObject({ state: 'running', restarts: 0 })
    await stage.delayAfterDeath()
    expect(stage.helper.started).toEqual([capture])
  })

  it('lets the last of several restarts win', async () => {
    const stage = await new Stage().start()
    await Promise.all([stage.supervisor.restart(), stage.supervisor.restart()])
    await stage.settle()
    expect(stage.helpers.filter(({ isClosed }) => !isClosed)).toHaveLength(1)
    expect(stage.supervisor.status.state).toBe('running')
  })

  it('passes the last tick on when it is stopped, and then nothing', async () => {
    const stage = await new Stage().start()
    const { helper } = stage
    await stage.supervisor.stop()
    expect(stage.messages.at(-1)).toMatchObject({ type: 'tick', tick: 99 })
    expect(stage.supervisor.status.state).toBe('stopped')
    const count = stage.messages.length
    helper.tick(100)
    await stage.advance(600_000)
    expect(stage.messages).toHaveLength(count)
    expect(stage.helpers).toHaveLength(1)
  })

  it('is stopped while it waits to try again', async () => {
    const stage = await new Stage().start()
    stage.helper.events.ended(died)
    await stage.supervisor.stop()
    await stage.advance(600_000)
    expect(stage.helpers).toHaveLength(1)
    expect(stage.clock.pending).toBe(0)
  })

  it('does not wait for ever for a helper that is stuck', async () => {
    const stage = await new Stage().start()
    stage.helper.isStuck = true
    const stopping = stage.supervisor.stop()
    await stage.advance(3000)
    await stopping
    expect(stage.helper.isClosed).toBe(true)
  })
})
