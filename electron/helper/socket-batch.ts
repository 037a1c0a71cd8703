/**
 * Socket batches (frame type 3): answers to `sockets`.
 */
import { succeed, type Outcome } from '../shared/errors'
import type { SocketRecord } from '../shared/helper-messages'
import { reasons } from '../shared/words'
import { addressText } from './address-text'
import { batchHeaderBytes, readBatchHeader, readUint64 } from './batch-header'

/** Of protocol 1.0; 1.1 appends what TCP knows of its path. */
const recordBytes = 88
const recordBytesWithRtt = 104
const unknownUid = 0xffffffff

/** `enum tcp_state` of the kernel (include/net/tcp_states.h), in the words that `ss` prints. */
const kernelStates = [
  'unknown',
  'ESTAB',
  'SYN-SENT',
  'SYN-RECV',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'UNCONN',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'SYN-RECV',
] as const

/** The token of the request that a socket batch answers, and its sockets. */
export function readSocketBatch(payload: Uint8Array): Outcome<{ token: number; sockets: SocketRecord[] }> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const header = readBatchHeader(view, recordBytes)
  if (!header.ok) return header
  const hasRtt = header.value.recordSize >= recordBytesWithRtt
  const sockets: SocketRecord[] = []
  for (let index = 0; index < header.value.count; index += 1) {
    const at = batchHeaderBytes + index * header.value.recordSize
    const family = view.getUint8(at + 64)
    const uid = view.getUint32(at + 48, true)
    sockets.push({
      inode: readUint64(view, at),
      localAddress: addressText(payload, at + 8, family),
      remoteAddress: addressText(payload, at + 24, family),
      localPort: view.getUint16(at + 40, true),
      remotePort: view.getUint16(at + 42, true),
      ownerId: view.getUint32(at + 44, true),
      uid: uid === unknownUid ? -1 : uid,
      interfaceIndex: view.getUint32(at + 52, true),
      rxQueueBytes: view.getUint32(at + 56, true),
      txQueueBytes: view.getUint32(at + 60, true),
      family,
      protocol: view.getUint8(at + 65),
      state: kernelStates[view.getUint8(at + 66)] ?? 'unknown',
      reason: reasons[view.getUint8(at + 67)] ?? 'none',
      rxBytes: readUint64(view, at + 72),
      txBytes: readUint64(view, at + 80),
      rttUs: hasRtt ? view.getUint32(at + 88, true) : 0,
      rttVarianceUs: hasRtt ? view.getUint32(at + 92, true) : 0,
      retransmits: hasRtt ? view.getUint32(at + 96, true) : 0,
      congestionWindow: hasRtt ? view.getUint32(at + 100, true) : 0,
    })
  }
  return succeed({ token: header.value.id, sockets })
}
