import type { FlowRow } from '../../electron/shared/views'
import type { EndReason, FlowState } from '../../electron/shared/words'
import { reasonTexts } from '../../electron/shared/words'
import { counted } from './counted'

/** TCP states as people read them. */
export const stateLabels: Record<FlowState, string> = {
  none: '',
  synSent: 'Connecting',
  synReceived: 'Accepting',
  established: 'Established',
  finWait1: 'Closing',
  finWait2: 'Half closed',
  closeWait: 'Peer closed',
  closing: 'Closing',
  lastAck: 'Last ACK',
  timeWait: 'Time wait',
  closed: 'Closed',
  reset: 'Reset',
}

/** The same as RFC 9293 and ss name them. */
export const stateNames: Record<FlowState, string> = {
  none: '',
  synSent: 'SYN-SENT',
  synReceived: 'SYN-RECEIVED',
  established: 'ESTABLISHED',
  finWait1: 'FIN-WAIT-1',
  finWait2: 'FIN-WAIT-2',
  closeWait: 'CLOSE-WAIT',
  closing: 'CLOSING',
  lastAck: 'LAST-ACK',
  timeWait: 'TIME-WAIT',
  closed: 'CLOSED',
  reset: 'CLOSED, by reset',
}

/** How a flow ended, as people read it. */
export const endLabels: Record<EndReason, string> = {
  alive: '',
  fin: 'Closed',
  rst: 'Reset',
  idle: 'Timed out',
  evicted: 'Evicted',
  interfaceGone: 'Interface gone',
  captureStopped: 'Capture stopped',
  ownerChanged: 'Handed over',
  endOfFile: 'End of file',
  active: 'Split',
}

/** Whether an open connection, one that comes or goes, or one that failed: decides a badge's colour. */
export function stateTone(row: FlowRow): 'open' | 'changing' | 'failed' | 'quiet' {
  if (row.state === 'reset' || row.endReason === 'rst') return 'failed'
  if (row.ended) return 'quiet'
  if (row.state === 'established') return 'open'
  return row.state === 'none' || row.state === 'closed' ? 'quiet' : 'changing'
}

/** What is known of a connection beyond its state, for a tooltip: `ESTABLISHED, 12 ms handshake, 3 retransmits`. */
export function stateDetail(row: FlowRow): string {
  return [
    stateNames[row.state],
    row.handshakeRttMs > 0 ? `${row.handshakeRttMs.toPrecision(2)} ms handshake` : '',
    row.retransmits > 0 ? counted(row.retransmits, 'retransmit') : '',
  ]
    .filter((part) => part !== '')
    .join(', ')
}

/** What stands in the state column. */
export function stateText(row: FlowRow): string {
  return row.ended ? endLabels[row.endReason] : stateLabels[row.state]
}

/** Whose flow it is: the process, or why there is none. */
export function ownerText(row: FlowRow): string {
  return row.ownerId === 0 ? reasonTexts[row.reason].label : row.process
}
