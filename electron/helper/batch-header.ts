import { fail, succeed, type Outcome } from '../shared/errors'

/** The 16 bytes that begin a flow batch and a socket batch alike. */
export interface BatchHeader {
  /** The tick of a flow batch, the token of a socket batch. */
  id: number
  recordSize: number
  count: number
}

export const batchHeaderBytes = 16

/**
 * Reads the head of a batch and checks it against the payload's length, so that no later read can leave the payload.
 * `minRecordSize` is the record of protocol 1.0; longer ones come from a later minor version.
 */
export function readBatchHeader(view: DataView, minRecordSize: number): Outcome<BatchHeader> {
  if (view.byteLength < batchHeaderBytes) return badBatch(`is only ${view.byteLength} bytes long`)
  const header = { id: view.getUint32(0, true), recordSize: view.getUint16(4, true), count: view.getUint32(8, true) }
  if (view.getUint16(6, true) !== 0 || view.getUint32(12, true) !== 0) return badBatch('has reserved bytes set')
  if (header.recordSize < minRecordSize) return badBatch(`has records of ${header.recordSize} bytes`)
  if (batchHeaderBytes + header.recordSize * header.count !== view.byteLength) {
    return badBatch(`has ${view.byteLength} bytes, which are not ${header.count} records`)
  }
  return succeed(header)
}

function badBatch(what: string): Outcome<BatchHeader> {
  return fail(
    'badFrame',
    `The helper sent a batch that ${what}.`,
    'Restart the helper; if it happens again, rebuild it.',
  )
}

/** An unsigned 64-bit number. Beyond 2^53 it loses its last bits, which no count of bytes or microseconds reaches. */
export function readUint64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true)
}
