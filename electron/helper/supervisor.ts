/**
 * Keeps one helper running: starts it, starts it again when it dies or falls silent, and says what state it is in.
 */
import type { Failure } from '../shared/errors'
import type { HelperMessage } from '../shared/helper-messages'
import type { HelperState } from '../shared/views'
import type { CaptureOptions, Helper, HelperConnector } from './helper'

const firstDelayMs = 200
const maxDelayMs = 30_000
/** A run this long clears the record: the next death is answered as fast as the first. */
const healthyMs = 30_000
/** A helper that owes ticks and sends none for this long (or five ticks) is stuck. */
const silenceMs = 10_000
/** How long the last tick may take when the helper is told to stop. */
const stopMs = 3000

/** What trying again cannot mend: only the user can, and then asks for a restart. */
const lastingFailures = new Set([
  'helperMissing',
  'helperNotAFile',
  'helperNotTrusted',
  'helperNotExecutable',
  'helperRefused',
  'protocolMismatch',
])

/** The supervised helper as the status bar shows it. */
export interface HelperStatus {
  state: HelperState
  version: string
  /** 0 while none runs. */
  pid: number
  /** Since the supervisor was made. */
  restarts: number
  /** A sentence for people, `''` while all is well. */
  message: string
  /** Why capture did not begin although the helper runs: `needsNetRaw`, `noSuchInterface`, ... */
  captureFailure: Failure | null
}

/** Timers as an argument, so that back-off is tested without waiting. */
export interface Clock {
  nowMs(): number
  /** Calls `callback` once after `delayMs`; returns the function that takes it back. */
  after(delayMs: number, callback: () => void): () => void
}

export interface SupervisorOptions {
  connect: HelperConnector
  capture: CaptureOptions
  clock: Clock
  /** Everything the helper says, in order, over all its runs: a `hello` begins a new run. */
  onMessage(message: HelperMessage): void
  /** At every change. `restarting`, `failed` and `stopped` mean that the run has ended: the monitor is told `helperLost`. */
  onStatus(status: HelperStatus): void
}

export interface Supervisor {
  readonly status: HelperStatus
  /** The running helper for requests, null while there is none. */
  readonly helper: Helper | null
  start(): void
  /** Ends the helper, if it runs, and starts it at once (after the grant, on the user's wish, with other options). */
  restart(capture?: CaptureOptions): Promise<void>
  /** Ends the helper for good; what it still had to say (the last tick) comes before this settles. */
  stop(): Promise<void>
}

/** One life of a helper, from the attempt to start it to its end. */
interface Run {
  helper: Helper | null
  beganMs: number
  lastTick: number | null
  cancelWatch: (() => void) | null
  /** Its end is wanted, so nothing is started because of it. */
  isDismissed: boolean
}

class HelperSupervisor implements Supervisor {
  #status: HelperStatus = { state: 'stopped', version: '', pid: 0, restarts: 0, message: '', captureFailure: null }
  #capture: CaptureOptions
  #run: Run | null = null
  #delayMs = firstDelayMs
  #cancelDelay: (() => void) | null = null
  /** Rises with every start, restart and stop: what was under way for an earlier wish notices that it is outdated. */
  #wish = 0

  constructor(private readonly options: SupervisorOptions) {
    this.#capture = options.capture
  }

  get status(): HelperStatus {
    return this.#status
  }

  get helper(): Helper | null {
    return this.#run?.helper ?? null
  }

  start(): void {
    if (this.#run !== null || this.#cancelDelay !== null) return
    this.#wish += 1
    void this.#begin('starting', '')
  }

  async restart(capture: CaptureOptions = this.#capture): Promise<void> {
    this.#capture = capture
    this.#delayMs = firstDelayMs
    const wish = (this.#wish += 1)
    await this.#dismiss()
    if (wish !== this.#wish) return
    this.#setStatus({
      state: 'restarting',
      pid: 0,
      message: 'The helper is being started again.',
      captureFailure: null,
    })
    await this.#begin('restarting', this.#status.message)
  }

  async stop(): Promise<void> {
    this.#wish += 1
    const helper = this.helper
    // Its answer comes after the last tick; whether it could answer makes no difference any more.
    if (helper !== null && this.#status.captureFailure === null) await this.#patiently(helper.stop())
    await this.#dismiss()
    this.#setStatus({ state: 'stopped', pid: 0, message: '' })
  }

  async #begin(state: 'starting' | 'restarting', message: string): Promise<void> {
    const run: Run = {
      helper: null,
      beganMs: this.options.clock.nowMs(),
      lastTick: null,
      cancelWatch: null,
      isDismissed: false,
    }
    this.#run = run
    this.#setStatus({ state, message })
    const connected = await this.options.connect({
      message: (received) => {
        this.#take(run, received)
      },
      ended: (failure) => {
        this.#takeEnd(run, failure)
      },
    })
    if (!connected.ok) {
      this.#takeEnd(run, connected.failure)
      return
    }
    const helper = connected.value
    if (run.isDismissed) {
      await helper.close()
      return
    }
    run.helper = helper
    const started = await helper.start(this.#capture)
    if (this.#run !== run) return
    if (started.ok) this.#watch(run)
    this.#setStatus({
      state: 'running',
      version: helper.hello.helperVersion,
      pid: helper.hello.pid,
      message: started.ok ? '' : started.failure.message,
      captureFailure: started.ok ? null : started.failure,
    })
  }

  #take(run: Run, message: HelperMessage): void {
    if (this.#run !== run) return
    if (message.type === 'tick') {
      const isGap = run.lastTick !== null && message.tick !== run.lastTick + 1
      run.lastTick = message.tick
      if (run.cancelWatch !== null) this.#watch(run)
      // Totals lose nothing in a gap; the snapshot is there for flows of whose end a lost batch would have told.
      if (isGap) void run.helper?.snapshot()
    }
    this.options.onMessage(message)
  }

  #watch(run: Run): void {
    run.cancelWatch?.()
    run.cancelWatch = this.options.clock.after(Math.max(silenceMs, 5 * this.#capture.tickMs), () => {
      void run.helper?.close()
    })
  }

  #takeEnd(run: Run, failure: Failure | null): void {
    run.cancelWatch?.()
    run.cancelWatch = null
    if (this.#run !== run) return
    this.#run = null
    if (run.isDismissed) return
    const reason = failure ?? { code: 'helperSilent', message: 'The helper fell silent and was ended.', fix: '' }
    if (lastingFailures.has(reason.code)) {
      this.#setStatus({ state: 'failed', pid: 0, message: `${reason.message} ${reason.fix}`.trim() })
      return
    }
    if (this.options.clock.nowMs() - run.beganMs >= healthyMs) this.#delayMs = firstDelayMs
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(maxDelayMs, delayMs * 2)
    const message = `${reason.message} It is started again${delayMs < 1000 ? '' : ` in ${Math.round(delayMs / 1000)} s`}.`
    this.#setStatus({ state: 'restarting', pid: 0, message, restarts: this.#status.restarts + 1 })
    this.#cancelDelay = this.options.clock.after(delayMs, () => {
      this.#cancelDelay = null
      void this.#begin('restarting', message)
    })
  }

  async #dismiss(): Promise<void> {
    this.#cancelDelay?.()
    this.#cancelDelay = null
    const run = this.#run
    if (run === null) return
    run.isDismissed = true
    await run.helper?.close()
    this.#run = null
  }

  /** Waits for `work`, but not for a helper that is stuck. */
  #patiently(work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(stopMs, resolve)
      void work.then(() => {
        cancel()
        resolve()
      })
    })
  }

  #setStatus(change: Partial<HelperStatus>): void {
    this.#status = { ...this.#status, ...change }
    this.options.onStatus(this.#status)
  }
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new HelperSupervisor(options)
}

/** Real time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
}
