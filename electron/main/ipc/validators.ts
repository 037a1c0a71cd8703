/**
 * What each request's parameters must look like. One validator per request, complete by its type: a request of the
 * schema that is missing here, or that takes something else, does not compile.
 */
import * as v from 'valibot'
import type { RequestName, RequestParams } from '../../shared/ipc-schema'
import { traceExportFormats, traceProtocols } from '../../shared/trace'
import { maxRowsPerView, type FlowColumn, type ProcessColumn } from '../../shared/views'

const none = v.null()
/** Longer than anyone types; every word of it is searched in every row. */
const filter = v.pipe(v.string(), v.maxLength(500))
/** A host name, an address or the name of an interface. */
const shortText = v.pipe(v.string(), v.maxLength(500))
const identity = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** The clipboard takes copied rows, at most a page of them. */
const clipboardText = v.pipe(v.string(), v.maxLength(1 << 20))

/** Objects, not lists: a column that is missing does not compile. */
const processColumns: Record<ProcessColumn, ProcessColumn> = {
  name: 'name',
  pid: 'pid',
  user: 'user',
  rxRate: 'rxRate',
  txRate: 'txRate',
  rxBytes: 'rxBytes',
  txBytes: 'txBytes',
  flows: 'flows',
  share: 'share',
}

const flowColumns: Record<FlowColumn, FlowColumn> = {
  process: 'process',
  protocol: 'protocol',
  local: 'local',
  remote: 'remote',
  state: 'state',
  rxPackets: 'rxPackets',
  txPackets: 'txPackets',
  rxBytes: 'rxBytes',
  txBytes: 'txBytes',
  rxRate: 'rxRate',
  txRate: 'txRate',
  age: 'age',
}

function listQuery<Column extends string>(columns: Record<Column, Column>) {
  return {
    sort: v.strictObject({ column: v.enum(columns), descending: v.boolean() }),
    filter,
    offset: identity,
    limit: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxRowsPerView)),
    holdOrder: v.boolean(),
  }
}

export const validators: { [Name in RequestName]: v.GenericSchema<unknown, RequestParams<Name>> } = {
  'status.query': none,
  'processes.query': v.strictObject(listQuery(processColumns)),
  'processes.release': none,
  'processDetails.query': v.strictObject({ ownerId: identity }),
  'processDetails.release': none,
  'connections.query': v.strictObject({
    ...listQuery(flowColumns),
    group: v.picklist(['all', 'tcp', 'nonTcp']),
  }),
  'connections.release': none,
  'chart.query': v.strictObject({ subject: identity }),
  'chart.release': v.strictObject({ subject: identity }),
  'helper.grant': none,
  'helper.restart': none,
  'process.end': v.strictObject({ ownerId: identity, force: v.boolean() }),
  'settings.get': none,
  'settings.set': v.strictObject({
    theme: v.exactOptional(v.picklist(['system', 'light', 'dark'])),
    rateUnit: v.exactOptional(v.picklist(['byte', 'bit'])),
    unitSystem: v.exactOptional(v.picklist(['si', 'iec'])),
    loopback: v.exactOptional(v.boolean()),
    reverseNames: v.exactOptional(v.boolean()),
  }),
  'clipboard.write': v.strictObject({ text: clipboardText }),
  // Ranges are checkTraceOptions' business: what a person has typed gets an answer in the option's own name.
  'trace.start': v.strictObject({
    host: shortText,
    family: v.picklist(['any', 4, 6]),
    protocol: v.picklist(traceProtocols),
    port: v.number(),
    sourcePort: v.number(),
    stepPort: v.boolean(),
    firstTtl: v.number(),
    maxTtl: v.number(),
    waitMs: v.number(),
    intervalMs: v.number(),
    rounds: v.number(),
    probesPerHop: v.number(),
    flows: v.number(),
    packetBytes: v.number(),
    tos: v.number(),
    sourceAddress: shortText,
    interface: shortText,
  }),
  'trace.list': none,
  'trace.query': v.strictObject({ traceKey: identity }),
  'trace.release': none,
  'trace.control': v.strictObject({
    traceKey: identity,
    action: v.picklist(['pause', 'resume', 'stop', 'restart', 'close']),
  }),
  'trace.export': v.strictObject({
    traceKey: identity,
    format: v.picklist(traceExportFormats),
    target: v.picklist(['clipboard', 'file']),
  }),
}
