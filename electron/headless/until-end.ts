/**
 * When a command that goes on ends: its time is up, a signal asks for it, or nobody reads what it says.
 */
import type { Output } from './output'

export interface End {
  readonly reached: Promise<void>
  /** The time runs from here, and not from before the helper was up. */
  startTime(): void
  cancel(): void
}

export function untilEnd(seconds: number | undefined, output: Output): End {
  let reach: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  let isAsked = false
  const onSignal = () => {
    // The second time the user means it.
    if (isAsked) process.exit(130)
    isAsked = true
    reach()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  void output.abandoned.then(reach)
  let timer: NodeJS.Timeout | null = null
  return {
    reached,
    startTime: () => {
      if (seconds !== undefined) timer ??= setTimeout(reach, seconds * 1000)
    },
    cancel: () => {
      if (timer !== null) clearTimeout(timer)
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      process.off('SIGHUP', onSignal)
    },
  }
}
