/**
 * `monitor` on live traffic: a supervised helper, and without privilege the kernel's socket list in place of capture.
 */
import type { CaptureOptions, HelperConnector } from '../helper/helper'
import { createSupervisor, systemClock, type HelperStatus } from '../helper/supervisor'
import type { Monitor } from '../monitor/monitor'
import type { HelperMessage } from '../shared/helper-messages'
import type { Report } from './report'
import { problemSentences, type Output } from './output'
import type { End } from './until-end'

/** How often the kernel's sockets are read in the reduced mode, at least. */
const socketPollMs = 2000

export interface LiveSession {
  connect: HelperConnector
  capture: CaptureOptions
  monitor: Monitor
  report: Report
  end: End
  output: Output
}

/** Gives the exit code. */
export function monitorLive(session: LiveSession): Promise<number> {
  return new Promise((resolve, reject) => {
    new LiveMonitor(session, resolve).run().catch(reject)
  })
}

class LiveMonitor {
  readonly #supervisor
  #hasHello = false
  #isEnding = false
  #lastTickMs = 0
  #timer: NodeJS.Timeout | null = null

  constructor(
    private readonly session: LiveSession,
    private readonly exit: (code: number) => void,
  ) {
    this.#supervisor = createSupervisor({
      connect: session.connect,
      capture: session.capture,
      clock: systemClock,
      onMessage: (message) => {
        this.#take(message)
      },
      onStatus: (status) => {
        this.#followStatus(status)
      },
    })
  }

  async run(): Promise<void> {
    const { end, report } = this.session
    this.#supervisor.start()
    await end.reached
    await this.#leave(() => {
      if (this.#hasHello) report.summary(this.#supervisor.status)
      return 0
    })
  }

  #take(message: HelperMessage): void {
    const { monitor, report, output } = this.session
    monitor.apply(message, Date.now())
    if (message.type === 'tick') {
      monitor.tick(message.timeMs)
      this.#lastTickMs = Date.now()
      if (this.#hasHello && !this.#isEnding) report.tick(this.#supervisor.status)
    } else if (message.type === 'degraded') {
      for (const sentence of problemSentences(message.reasons)) output.complain(sentence)
      if (this.#hasHello) report.degraded(this.#supervisor.status)
    }
  }

  #followStatus(status: HelperStatus): void {
    if (this.#isEnding) return
    const { monitor, report, end, output } = this.session
    const { captureFailure } = status
    if (status.state === 'running') {
      // What this user may not do is no reason to end; what the command line asks for and cannot be had is.
      if (captureFailure !== null && captureFailure.code !== 'needsNetRaw') {
        this.#fail(() => {
          output.complainOf(captureFailure)
        })
        return
      }
      if (!this.#hasHello) {
        this.#hasHello = true
        report.hello(status)
        report.degraded(status)
        end.startTime()
      }
      this.#beginTimer(captureFailure !== null)
    } else if (status.state !== 'starting') {
      monitor.helperLost(Date.now())
      if (status.state === 'failed' || !this.#hasHello) {
        this.#fail(() => {
          output.complain(status.message)
        })
      } else if (status.message !== '') output.complain(status.message)
    }
  }

  /** Reads sockets in the reduced mode; else reports in place of a helper that is away. */
  #beginTimer(isReduced: boolean): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    const { tickMs } = this.session.capture
    if (isReduced) void this.#readSockets()
    const periodMs = isReduced ? Math.max(tickMs, socketPollMs) : tickMs
    this.#timer = setInterval(() => {
      if (isReduced) void this.#readSockets()
      else if (Date.now() - this.#lastTickMs > 2 * tickMs && this.#supervisor.helper === null) {
        this.session.monitor.tick(Date.now())
        this.session.report.tick(this.#supervisor.status)
      }
    }, periodMs)
  }

  async #readSockets(): Promise<void> {
    const { monitor, report } = this.session
    const sockets = await this.#supervisor.helper?.sockets()
    if (this.#isEnding || sockets?.ok !== true) return
    monitor.applySockets(sockets.value, Date.now())
    monitor.tick(Date.now())
    report.tick(this.#supervisor.status)
  }

  #fail(say: () => void): void {
    void this.#leave(() => {
      say()
      return 1
    })
  }

  /** Ends the helper, with its last tick, and then reports. */
  async #leave(conclude: () => number): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#supervisor.stop()
    this.exit(conclude())
  }
}
