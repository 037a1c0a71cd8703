import { formatEndpoint } from '../../../electron/shared/units'
import type { FlowRow } from '../../../electron/shared/views'
import { ownerText, stateNames } from '../../components/flow-words'

/** A flow as one line of text with tabs, for pasting into a table. Bytes are plain figures. */
export function flowAsText(row: FlowRow): string {
  return [
    row.ownerId === 0 ? ownerText(row) : `${row.process} (${row.pid})`,
    row.protocol,
    formatEndpoint(row.localAddress, row.localPort),
    formatEndpoint(row.remoteAddress, row.remotePort),
    stateNames[row.state],
    row.rxBytes,
    row.txBytes,
    row.rxPackets,
    row.txPackets,
    row.interface,
  ].join('\t')
}
