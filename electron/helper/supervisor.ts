/**
 * Keeps one helper running: starts it, starts it again when it dies or falls silent, and says what state it is in.
 */
import type { Failure } from '../shared/errors'
import type { HelperMessage } from '../shared/helper-messages'
import type { HelperState } from '../shared/views'
import type { CaptureOptions, Helper, HelperConnector } from './helper'

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
