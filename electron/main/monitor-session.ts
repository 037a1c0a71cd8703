/**
 * One helper and one monitor, wired: what the helper says goes into the monitor, and every tick out to whoever shows it.
 */
import { defaultCaptureOptions, type Helper, type HelperConnector } from '../helper/helper'
import type { Prober } from '../helper/prober'
import type { Clock, HelperStatus, Supervisor, SupervisorOptions } from '../helper/supervisor'
import { fail } from '../shared/errors'
import type { HelperMessage } from '../shared/helper-messages'
import type { ActionResult } from '../shared/ipc-schema'
import type { Monitor } from '../monitor/monitor'

export interface SessionOptions {
  monitor: Monitor
  connect: HelperConnector
  createSupervisor: (options: SupervisorOptions) => Supervisor
  clock: Clock
  loopback: boolean
  /** Gets what comes of probes. */
  prober: Pick<Prober, 'take' | 'helperLost'>
  /** The monitor has new figures. */
  onTick: () => void
  /** The helper's state has changed. */
  onStatus: () => void
}

/** Longer than a tick may be late; after that time passes without the helper. */
const silenceMs = 1500
const idleTickMs = 1000
/** How often the kernel's socket list is read while nothing may be captured. */
const socketPollMs = 2000

export class MonitorSession {
  readonly #options: SessionOptions
  readonly #supervisor: Supervisor
  #cancelIdleTick = (): void => undefined
  #cancelPoll = (): void => undefined
  /** Tells an answer that was under way when polling was stopped or begun anew. */
  #pollRun = 0
  #isPolling = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#supervisor = options.createSupervisor({
      connect: options.connect,
      capture: { ...defaultCaptureOptions, loopback: options.loopback },
      clock: options.clock,
      onMessage: (message) => {
        this.#take(message)
      },
      onStatus: (status) => {
        this.#followStatus(status)
      },
    })
  }

  /** The running helper for requests, null while there is none. */
  get helper(): Helper | null {
    return this.#supervisor.helper
  }

  get helperStatus(): HelperStatus {
    return this.#supervisor.status
  }

  start(): void {
    this.#supervisor.start()
    this.#expectTickWithin(silenceMs)
  }

  async stop(): Promise<void> {
    this.#cancelIdleTick()
    this.#stopPolling()
    await this.#supervisor.stop()
  }

  /** Starts the helper anew; a failure says why it does not capture then. */
  async restartHelper(): Promise<ActionResult> {
    await this.#supervisor.restart()
    const { state, message, captureFailure } = this.#supervisor.status
    if (captureFailure !== null) return { ok: false, failure: captureFailure }
    return state === 'running' ? { ok: true } : fail('helperNotRunning', message)
  }

  /** Captures with or without loopback from now on; the helper starts anew, totals stay. */
  setLoopback(loopback: boolean): Promise<void> {
    return this.#supervisor.restart({ ...defaultCaptureOptions, loopback })
  }

  /** The machine was asleep: there are no figures for that time, and the chart must not draw a line over it. */
  resumed(): void {
    this.#options.monitor.gap(this.#options.clock.nowMs())
  }

  #take(message: HelperMessage): void {
    const { monitor, prober, clock } = this.#options
    if (message.type === 'probes') {
      prober.take(message.items)
      return
    }
    monitor.apply(message, clock.nowMs())
    if (message.type === 'tick') this.#tick(message.timeMs, silenceMs)
  }

  #tick(timeMs: number, nextWithinMs: number): void {
    this.#options.monitor.tick(timeMs)
    this.#expectTickWithin(nextWithinMs)
    this.#options.onTick()
  }

  /** Ended flows must go and rates fall to zero even while the helper says nothing. */
  #expectTickWithin(delayMs: number): void {
    const { clock } = this.#options
    this.#cancelIdleTick()
    this.#cancelIdleTick = clock.after(delayMs, () => {
      this.#tick(clock.nowMs(), idleTickMs)
    })
  }

  #followStatus(status: HelperStatus): void {
    const { monitor, prober, clock, onStatus } = this.#options
    const hasRunEnded = status.state === 'restarting' || status.state === 'failed' || status.state === 'stopped'
    if (hasRunEnded) {
      monitor.helperLost(clock.nowMs())
      prober.helperLost()
    }
    const needsSockets = status.state === 'running' && !monitor.measured
    if (needsSockets && !this.#isPolling) this.#startPolling()
    if (!needsSockets && this.#isPolling) this.#stopPolling()
    onStatus()
  }

  #startPolling(): void {
    this.#isPolling = true
    this.#pollRun += 1
    void this.#poll(this.#pollRun)
  }

  #stopPolling(): void {
    this.#isPolling = false
    this.#pollRun += 1
    this.#cancelPoll()
  }

  /** The reduced mode: the list of sockets in place of packets. The next question waits for the answer to the last. */
  async #poll(run: number): Promise<void> {
    const { monitor, clock } = this.#options
    const sockets = await this.#supervisor.helper?.sockets()
    if (run !== this.#pollRun) return
    if (sockets?.ok) {
      monitor.applySockets(sockets.value, clock.nowMs())
      // A tick between two lists would have measured nothing and would tear a gap into the chart.
      this.#tick(clock.nowMs(), socketPollMs + silenceMs)
    }
    this.#cancelPoll = clock.after(socketPollMs, () => void this.#poll(run))
  }
}
