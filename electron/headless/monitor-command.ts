/**
 * `monitor`: wires helper, monitor and output, for live capture and for a file.
 */
import { openSync } from 'node:fs'
import { connectProgram } from '../helper/client'
import { createMonitor } from '../monitor/monitor'
import { etherTypeName, protocolName } from '../sources/protocols'
import { serviceName } from '../sources/services'
import { userName } from '../sources/users'
import { monitorFile } from './file-session'
import { monitorLive } from './live-session'
import type { Output } from './output'
import { createReport, type ReportOptions } from './report'
import { untilEnd } from './until-end'

export interface MonitorOptions extends ReportOptions {
  interface?: string[]
  loopback: boolean
  read?: string
  seconds?: number
  interval: number
  captureFilter: string
}

/**
 * Flows that have ended stay in the report, since their bytes are totals since the start; so many, the oldest go first.
 * Without `--flows` nobody sees them.
 */
const endedFlowsKept = { live: 10_000, read: 200_000 }

/** Reports and ends; gives the exit code. */
export async function runMonitor(options: MonitorOptions, helperFile: string, output: Output): Promise<number> {
  const atMost = options.read === undefined ? endedFlowsKept.live : endedFlowsKept.read
  const monitor = createMonitor({
    serviceName,
    protocolName,
    etherTypeName,
    userName,
    listBuckets: true,
    keepEnded: options.flows ? { forMs: Infinity, atMost } : { forMs: 0, atMost: 0 },
  })
  const report = createReport(options, monitor, output)
  const end = untilEnd(options.seconds, output)
  const capture = {
    interfaces: options.interface ?? null,
    loopback: options.loopback,
    promiscuous: false,
    captureFilter: options.captureFilter,
    tickMs: options.interval,
  }
  try {
    if (options.read === undefined) {
      const connect = connectProgram({ path: helperFile })
      return await monitorLive({ connect, capture, monitor, report, end, output })
    }
    const readFd = openFile(options.read, output)
    if (readFd === null) return 1
    const connect = connectProgram({ path: helperFile, readFd })
    return await monitorFile({ connect, capture, monitor, report, end, output })
  } finally {
    report.close()
    end.cancel()
  }
}

function openFile(path: string, output: Output): number | null {
  if (path === '-') return 0
  try {
    return openSync(path, 'r')
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error)
    output.complain(`Cannot read ${path}: ${reason}.`)
    return null
  }
}
