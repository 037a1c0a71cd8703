import type { FlowRecord, Owner } from '../shared/helper-messages'
import type { Attribution, EndReason, FlowState, Reason } from '../shared/words'
import type { InterfaceRef } from './interface-table'
import type { Process } from './process-table'
import type { Windowed } from './rate-window'
import type { Tally } from './tally'

/**
 * One flow: its last record, and what the monitor knows beyond it. The members of the record are the object's own, so
 * that a batch writes new totals straight into it.
 */
export class Flow implements FlowRecord, Windowed {
  flowId: number
  firstSeenUs: number
  lastSeenUs: number
  rxBytes = 0
  txBytes = 0
  rxPackets = 0
  txPackets = 0
  inode: number
  localAddress: string
  remoteAddress: string
  localPort: number
  remotePort: number
  interfaceId: number
  ownerId: number
  uid: number
  handshakeRttUs: number
  etherType: number
  vlanId: number
  family: 0 | 4 | 6
  protocol: number
  state: FlowState
  attribution: Attribution
  reason: Reason
  ended: boolean
  initiator: 'local' | 'remote' | 'unknown'
  synthetic: boolean
  endReason: EndReason
  rxTcpFlags: number
  txTcpFlags: number
  retransmits: number
  payloadBytes: number

  rxWindowBytes = 0
  txWindowBytes = 0
  /** When it was seen to have ended; 0 while it lives. */
  endedMs = 0
  /** Lower-case text that the filter looks at; null when it has to be made again. */
  searchText: string | null = null
  /** The process as it was when `searchText` was made. */
  searchOwner: Owner | null = null

  /**
   * Takes everything from `record` but bytes and packets: those are charged first and then noted.
   *
   * @param id The session's number; `flowId` is the helper's.
   * @param account Who pays for it.
   * @param process Whose row names it.
   */
  constructor(
    readonly id: number,
    record: FlowRecord,
    public account: Tally,
    public process: Process | null,
    private readonly interfaceRef: InterfaceRef | null,
  ) {
    this.flowId = record.flowId
    this.firstSeenUs = record.firstSeenUs
    this.lastSeenUs = record.lastSeenUs
    this.inode = record.inode
    this.localAddress = record.localAddress
    this.remoteAddress = record.remoteAddress
    this.localPort = record.localPort
    this.remotePort = record.remotePort
    this.interfaceId = record.interfaceId
    this.ownerId = record.ownerId
    this.uid = record.uid
    this.handshakeRttUs = record.handshakeRttUs
    this.etherType = record.etherType
    this.vlanId = record.vlanId
    this.family = record.family
    this.protocol = record.protocol
    this.state = record.state
    this.attribution = record.attribution
    this.reason = record.reason
    this.ended = record.ended
    this.initiator = record.initiator
    this.synthetic = record.synthetic
    this.endReason = record.endReason
    this.rxTcpFlags = record.rxTcpFlags
    this.txTcpFlags = record.txTcpFlags
    this.retransmits = record.retransmits
    this.payloadBytes = record.payloadBytes
  }

  /** `''` when no interface was announced for it. */
  get interfaceName(): string {
    return this.interfaceRef?.info.name ?? ''
  }

  get isTcp(): boolean {
    return this.protocol === 6 && this.family !== 0
  }
}
