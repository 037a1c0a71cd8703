/**
 * Flow batches (frame type 2), read in place: no object and no string per record unless the reader asks for one.
 */
import { succeed, type Outcome } from '../shared/errors'
import type { FlowRecord, FlowTotals, HelperFlows } from '../shared/helper-messages'
import { attributions, endReasons, flowStates, reasons } from '../shared/words'
import { addressText } from './address-text'
import { batchHeaderBytes, readBatchHeader, readUint64 } from './batch-header'

const recordBytes = 152
const unknownUid = 0xffffffff
const flagEnded = 1
const flagLocalInitiated = 2
const flagRemoteInitiated = 4
const flagSynthetic = 8

class FlowBatch implements HelperFlows {
  readonly type = 'flows'

  constructor(
    private readonly view: DataView,
    private readonly recordSize: number,
    readonly tick: number,
    readonly count: number,
  ) {}

  flowIdAt(index: number): number {
    return readUint64(this.view, this.#offset(index))
  }

  readTotals(index: number, target: FlowTotals): void {
    const view = this.view
    const at = this.#offset(index)
    target.flowId = readUint64(view, at)
    target.firstSeenUs = readUint64(view, at + 8)
    target.lastSeenUs = readUint64(view, at + 16)
    target.rxBytes = readUint64(view, at + 24)
    target.txBytes = readUint64(view, at + 32)
    target.rxPackets = readUint64(view, at + 40)
    target.txPackets = readUint64(view, at + 48)
    target.inode = readUint64(view, at + 56)
    target.localPort = view.getUint16(at + 96, true)
    target.remotePort = view.getUint16(at + 98, true)
    target.interfaceId = view.getUint32(at + 100, true)
    target.ownerId = view.getUint32(at + 104, true)
    const uid = view.getUint32(at + 108, true)
    target.uid = uid === unknownUid ? -1 : uid
    target.handshakeRttUs = view.getUint32(at + 112, true)
    target.etherType = view.getUint16(at + 116, true)
    target.vlanId = view.getUint16(at + 118, true)
    target.family = familyOf(view.getUint8(at + 120))
    target.protocol = view.getUint8(at + 121)
    // A value of a later minor version reads as "not known", which is what it is to this one.
    target.state = flowStates[view.getUint8(at + 122)] ?? 'none'
    target.attribution = attributions[view.getUint8(at + 123)] ?? 'none'
    target.reason = reasons[view.getUint8(at + 124)] ?? 'none'
    const flags = view.getUint8(at + 125)
    target.ended = (flags & flagEnded) !== 0
    target.initiator =
      (flags & flagLocalInitiated) !== 0 ? 'local' : (flags & flagRemoteInitiated) !== 0 ? 'remote' : 'unknown'
    target.synthetic = (flags & flagSynthetic) !== 0
    target.endReason = endReasons[view.getUint8(at + 126)] ?? 'alive'
    target.rxTcpFlags = view.getUint8(at + 127)
    target.txTcpFlags = view.getUint8(at + 128)
    target.retransmits = view.getUint32(at + 132, true)
    target.payloadBytes = readUint64(view, at + 136)
  }

  readRecord(index: number): FlowRecord {
    const record = emptyRecord()
    this.readTotals(index, record)
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset, this.view.byteLength)
    record.localAddress = addressText(bytes, this.#offset(index) + 64, record.family)
    record.remoteAddress = addressText(bytes, this.#offset(index) + 80, record.family)
    return record
  }

  #offset(index: number): number {
    if (index < 0 || index >= this.count) throw new RangeError(`No record ${index} in a batch of ${this.count}.`)
    return batchHeaderBytes + index * this.recordSize
  }
}

function familyOf(value: number): 0 | 4 | 6 {
  return value === 4 || value === 6 ? value : 0
}

function emptyRecord(): FlowRecord {
  return {
    flowId: 0,
    firstSeenUs: 0,
    lastSeenUs: 0,
    rxBytes: 0,
    txBytes: 0,
    rxPackets: 0,
    txPackets: 0,
    inode: 0,
    localAddress: '',
    remoteAddress: '',
    localPort: 0,
    remotePort: 0,
    interfaceId: 0,
    ownerId: 0,
    uid: -1,
    handshakeRttUs: 0,
    etherType: 0,
    vlanId: 0,
    family: 0,
    protocol: 0,
    state: 'none',
    attribution: 'none',
    reason: 'none',
    ended: false,
    initiator: 'unknown',
    synthetic: false,
    endReason: 'alive',
    rxTcpFlags: 0,
    txTcpFlags: 0,
    retransmits: 0,
    payloadBytes: 0,
  }
}

/** Checks the payload of a flow batch and gives a reader over it; the payload must not be changed afterwards. */
export function readFlowBatch(payload: Uint8Array): Outcome<HelperFlows> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const header = readBatchHeader(view, recordBytes)
  if (!header.ok) return header
  return succeed(new FlowBatch(view, header.value.recordSize, header.value.id, header.value.count))
}
