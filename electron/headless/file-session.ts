/**
 * `monitor --read`: one helper that reads a capture file to its end, or to its damage.
 */
import type { CaptureOptions, HelperConnector } from '../helper/helper'
import type { Monitor } from '../monitor/monitor'
import type { Failure } from '../shared/errors'
import type { HelperEnd, HelperMessage } from '../shared/helper-messages'
import type { StatusView } from '../shared/views'
import type { Report } from './report'
import type { Output } from './output'
import type { End } from './until-end'

export interface FileSession {
  connect: HelperConnector
  capture: CaptureOptions
  monitor: Monitor
  report: Report
  end: End
  output: Output
}

type Outcome = { end: HelperEnd } | { failure: Failure | null } | 'asked'

/** Gives the exit code: 1 when the file could not be read, or not to its end. */
export async function monitorFile(session: FileSession): Promise<number> {
  const { connect, capture, monitor, report, end, output } = session
  let helperStatus: StatusView['helper'] = { state: 'running', version: '', pid: 0, restarts: 0, message: '' }
  let hasHello = false
  let conclude: (outcome: Outcome) => void = () => undefined
  const concluded = new Promise<Outcome>((resolve) => {
    conclude = resolve
  })
  const take = (message: HelperMessage) => {
    monitor.apply(message, Date.now())
    if (message.type === 'hello') helperStatus = { ...helperStatus, version: message.helperVersion, pid: message.pid }
    if (message.type === 'tick') {
      monitor.tick(message.timeMs)
      if (hasHello) report.tick(helperStatus)
    }
    if (message.type === 'end') conclude({ end: message })
  }
  const connected = await connect({
    message: take,
    ended: (failure) => {
      conclude({ failure })
    },
  })
  if (!connected.ok) {
    output.complainOf(connected.failure)
    return 1
  }
  const helper = connected.value
  const started = await helper.start({ ...capture, interfaces: null, loopback: false })
  if (!started.ok) {
    output.complainOf(started.failure)
    await helper.close()
    return 1
  }
  hasHello = true
  report.hello(helperStatus)
  end.startTime()
  void end.reached.then(() => {
    conclude('asked')
  })
  const outcome = await concluded
  if (outcome === 'asked') await helper.stop()
  await helper.close()
  if (outcome !== 'asked' && 'failure' in outcome) {
    output.complainOf(
      outcome.failure ?? { code: 'helperGone', message: 'The helper ended before the file did.', fix: '' },
    )
    return 1
  }
  report.summary(helperStatus)
  if (outcome === 'asked' || outcome.end.reason === 'endOfFile') return 0
  output.complainOf({ code: outcome.end.reason, message: outcome.end.message, fix: outcome.end.fix })
  return 1
}
