/**
 * `trace`: one helper, one trace, from its first probe to its summary.
 */
import type { Helper, HelperConnector } from '../helper/helper'
import { Prober, traceOpening } from '../helper/prober'
import { systemClock } from '../helper/supervisor'
import { joinView } from '../monitor/trace/trace-view'
import { TraceRun } from '../monitor/trace/trace-run'
import { AddressBook } from '../sources/address-book'
import type { HostAddress } from '../sources/host-addresses'
import type { Reverse } from '../sources/reverse-names'
import type { Failure, Outcome } from '../shared/errors'
import { checkTraceOptions, type TraceOptions, type TraceView } from '../shared/trace'
import type { Output } from './output'
import { createTraceReport } from './trace-report'
import { traceOptions, type TraceFlags } from './trace-options'
import { TraceRounds } from './trace-rounds'
import { untilEnd } from './until-end'

/** What a trace needs of the world outside. */
export interface TraceWorld {
  connect: HelperConnector
  resolve(host: string, family: TraceOptions['family']): Promise<Outcome<HostAddress>>
  reverse: Reverse
  databaseDirs: readonly string[]
}

/** How long the last names may take after the last probe; the summary does not wait longer. */
const lastNamesMs = 800

/** Traces and ends; gives the exit code. */
export async function runTrace(host: string, flags: TraceFlags, world: TraceWorld, output: Output): Promise<number> {
  const options = checkTraceOptions(traceOptions(host, flags))
  if (!options.ok) {
    output.complainOf(options.failure)
    return 2
  }
  const resolved = await world.resolve(options.value.host, options.value.family)
  if (!resolved.ok) {
    output.complainOf(resolved.failure)
    return 1
  }
  const failures: Failure[] = []
  let helper: Helper | null = null
  const prober = new Prober(() => helper, systemClock)
  const connected = await world.connect({
    message: (message) => {
      if (message.type === 'probes') prober.take(message.items)
    },
    ended: (failure) => {
      if (failure !== null) failures.push(failure)
      prober.helperLost()
    },
  })
  if (!connected.ok) {
    output.complainOf(connected.failure)
    return 1
  }
  helper = connected.value
  try {
    const failure = await trace(options.value, resolved.value, flags, prober, world, output)
    if (failure === null) return 0
    output.complainOf(failures[0] ?? failure)
    return 1
  } finally {
    await helper.close()
  }
}

/** Null when the trace came to its end, or was asked to end. */
async function trace(
  options: TraceOptions,
  destination: HostAddress,
  flags: TraceFlags,
  prober: Prober,
  world: TraceWorld,
  output: Output,
): Promise<Failure | null> {
  const run = new TraceRun(options, destination.address, Date.now())
  let limits: string[] = []
  let unsent = ''
  let conclude: (failure: Failure | null) => void = () => undefined
  const concluded = new Promise<Failure | null>((resolve) => {
    conclude = resolve
  })
  const book = new AddressBook({
    databaseDirs: world.databaseDirs,
    reverse: world.reverse,
    reverseNames: !flags.numeric,
    changed: () => {
      report.changed()
    },
  })
  const view = (): TraceView =>
    joinView({ traceKey: 0, limits, failure: null, connectionRtts: [] }, run.snapshot(), (address) =>
      book.info(address),
    )
  const report = createTraceReport(flags.format, flags.numeric, view, output)
  const rounds = new TraceRounds(run, (round, ttl) => {
    report.hop(round, ttl)
  })
  const end = untilEnd(undefined, output)
  try {
    const opened = await prober.open(traceOpening(options, destination.address, destination.interface), rounds, {
      changed: () => {
        report.changed()
        if (run.state === 'finished') conclude(null)
      },
      unsent: (reason) => {
        unsent = reason
      },
      failed: conclude,
    })
    if (!opened.ok) return opened.failure
    limits = opened.value.limits
    for (const { detail } of book.problems) output.complain(detail)
    void end.reached.then(() => {
      run.stop()
      conclude(null)
    })
    const failure = await concluded
    opened.value.close()
    if (failure !== null) return failure
    if (unsent !== '') {
      const isNothingSent = run.snapshot().hops.every(({ sent }) => sent === 0)
      if (isNothingSent) return { code: 'notSent', message: `No probe could be sent: ${unsent}`, fix: '' }
      output.complain(`Some probes could not be sent: ${unsent}`)
    }
    // Looking at every hop asks for what is not known of it yet.
    view()
    await Promise.race([book.settled(), delay(lastNamesMs)])
    report.summary()
    return null
  } finally {
    report.close()
    end.cancel()
    book.close()
  }
}

function delay(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs))
}
