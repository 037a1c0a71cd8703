/**
 * What `monitor --format table` shows: the busiest processes, and with `--flows` the busiest connections.
 */
import { formatBytes, formatCount, formatEndpoint, formatRate } from '../shared/units'
import type { FlowRow, ProcessesView, ProcessRow, StatusView } from '../shared/views'
import { reasonTexts } from '../shared/words'
import { problemSentences } from './output'
import { textTable, type Column } from './text-table'

const units = { rateUnit: 'byte', unitSystem: 'si' } as const

function rate(bytesPerSecond: number): string {
  return bytesPerSecond > 0 ? formatRate(bytesPerSecond, units) : '-'
}

/** A line of the process table: a process, or the sum of what has none. */
type ProcessLine = Pick<ProcessRow, 'name' | 'user' | 'rxRate' | 'txRate' | 'rxBytes' | 'txBytes' | 'flows'> & {
  pid: number | null
}

const processColumns: readonly Column<ProcessLine>[] = [
  { title: 'PROCESS', align: 'left', text: ({ name }) => name, maxWidth: 28 },
  { title: 'PID', align: 'right', text: ({ pid }) => (pid === null ? '' : String(pid)) },
  { title: 'USER', align: 'left', text: ({ user }) => user, maxWidth: 16 },
  { title: 'RX RATE', align: 'right', text: ({ rxRate }) => rate(rxRate) },
  { title: 'TX RATE', align: 'right', text: ({ txRate }) => rate(txRate) },
  { title: 'RX', align: 'right', text: ({ rxBytes }) => formatBytes(rxBytes) },
  { title: 'TX', align: 'right', text: ({ txBytes }) => formatBytes(txBytes) },
  { title: 'FLOWS', align: 'right', text: ({ flows }) => formatCount(flows) },
]

const flowColumns: readonly Column<FlowRow>[] = [
  { title: 'PROCESS', align: 'left', text: (row) => row.process || reasonTexts[row.reason].label, maxWidth: 24 },
  { title: 'PROTO', align: 'left', text: ({ protocol }) => protocol },
  { title: 'LOCAL', align: 'left', text: (row) => formatEndpoint(row.localAddress, row.localPort) },
  { title: 'REMOTE', align: 'left', text: (row) => formatEndpoint(row.remoteAddress, row.remotePort) },
  { title: 'STATE', align: 'left', text: (row) => (row.state === 'none' ? '' : row.state) },
  { title: 'RX RATE', align: 'right', text: ({ rxRate }) => rate(rxRate) },
  { title: 'TX RATE', align: 'right', text: ({ txRate }) => rate(txRate) },
  { title: 'RX', align: 'right', text: ({ rxBytes }) => formatBytes(rxBytes) },
  { title: 'TX', align: 'right', text: ({ txBytes }) => formatBytes(txBytes) },
]

/** Most lines of either table without a terminal to fit. */
const plainRows = 40

export interface TableSize {
  columns: number
  rows: number
}

/** The lines of one report, at most as many as the terminal has. */
export function monitorTable(
  status: StatusView,
  processes: ProcessesView,
  flows: readonly FlowRow[] | null,
  size: TableSize | null,
): string[] {
  const notes = problemSentences(status.degraded)
  // A helper without capabilities says the same in its own words.
  if (notes.length === 0 && status.helper.message !== '') notes.push(status.helper.message)
  const heads = flows === null ? 4 : 7
  const room = size === null ? Infinity : Math.max(4, size.rows - heads - notes.length - 1)
  const processRoom = Math.min(flows === null ? room : Math.ceil(room / 2), plainRows)
  const flowRoom = Math.min(room - processRoom, plainRows)
  const width = size?.columns
  const lines = [headline(status, processes), '']
  lines.push(...textTable(processColumns, processLines(processes).slice(0, processRoom), width))
  if (flows !== null) lines.push('', ...textTable(flowColumns, flows.slice(0, flowRoom), width))
  if (notes.length > 0) lines.push('', ...notes)
  return width === undefined ? lines : lines.map((line) => line.slice(0, width))
}

function headline(status: StatusView, { captured, timeMs, measured }: ProcessesView): string {
  const time = timeMs === 0 ? '' : new Date(timeMs).toLocaleTimeString('sv')
  const what = measured ? status.interfaces.map(({ name }) => name).join(', ') : 'sockets only, nothing is captured'
  const lost = status.dropped > 0 ? `   ${formatCount(status.dropped)} packets dropped` : ''
  const rates = `rx ${rate(captured.rxRate)}  tx ${rate(captured.txRate)}`
  return `Netloupe  ${time}  ${what}   ${rates}   total rx ${formatBytes(captured.rxBytes)}  tx ${formatBytes(captured.txBytes)}${lost}`
}

function processLines({ rows, unattributed }: ProcessesView): ProcessLine[] {
  const lines: ProcessLine[] = [...rows]
  if (unattributed.rxBytes + unattributed.txBytes > 0 || unattributed.flows > 0) {
    const labels = unattributed.reasons.slice(0, 3).map(({ reason }) => reasonTexts[reason].label.toLowerCase())
    lines.unshift({ ...unattributed, name: '(unattributed)', pid: null, user: labels.join(', ') })
  }
  return lines
}
