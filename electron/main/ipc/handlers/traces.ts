import type { Outcome } from '../../../shared/errors'
import type { ActionResult, TraceAction } from '../../../shared/ipc-schema'
import type { TraceExportFormat, TraceListItem, TraceOptions, TraceView } from '../../../shared/trace'
import type { Handlers } from '../router'

export interface TracePorts {
  /** Gives the new trace's key. */
  start(options: TraceOptions): Promise<Outcome<number>>
  control(traceKey: number, action: TraceAction): Promise<ActionResult>
  export(traceKey: number, format: TraceExportFormat, target: 'clipboard' | 'file'): Promise<ActionResult>
}

/** The live queries of traces, as the feed keeps them per window. */
export interface TraceQueries {
  queryTraces(contentsId: number): TraceListItem[]
  queryTrace(contentsId: number, traceKey: number): TraceView | null
  releaseTrace(contentsId: number): void
}

type TraceRequest = 'trace.start' | 'trace.list' | 'trace.query' | 'trace.release' | 'trace.control' | 'trace.export'

/** Traces: begun, looked at, steered and written out by the window. */
export function traceHandlers(traces: TracePorts, feed: TraceQueries): Pick<Handlers, TraceRequest> {
  return {
    'trace.start': async (options) => {
      const started = await traces.start(options)
      return started.ok ? { ok: true, traceKey: started.value } : started
    },
    'trace.list': (_, { contentsId }) => feed.queryTraces(contentsId),
    'trace.query': ({ traceKey }, { contentsId }) => feed.queryTrace(contentsId, traceKey),
    'trace.release': (_, { contentsId }) => {
      feed.releaseTrace(contentsId)
      return null
    },
    'trace.control': ({ traceKey, action }) => traces.control(traceKey, action),
    'trace.export': ({ traceKey, format, target }) => traces.export(traceKey, format, target),
  }
}
