import { untrack } from 'svelte'
import type { Failure } from '../../electron/shared/errors'
import type { TraceAction } from '../../electron/shared/ipc-schema'
import type { TraceExportFormat, TraceListItem, TraceOptions, TraceView } from '../../electron/shared/trace'
import { api } from './api'
import { notices } from './notices.svelte'
import { pause } from './pause.svelte'

/** Every open trace, and the one that is looked at. */
class Traces {
  /** In the order of their start. */
  items = $state.raw<TraceListItem[]>([])
  /** 0: none. */
  selectedKey = $state(0)
  /** The selected trace; null while there is none, or until the answer is there. */
  view = $state.raw<TraceView | null>(null)
  #starting = $state(0)
  /** A host is being resolved. */
  readonly isStarting = $derived(this.#starting > 0)
  /** Why the last start failed; null after one that did not. */
  failure = $state.raw<Failure | null>(null)

  /** Listens to the list. Returns the function that stops. */
  open(): () => void {
    const unlisten = api.listen('traces', (items) => this.#takeList(items))
    void api.request('trace.list', null).then((items) => this.#takeList(items))
    return unlisten
  }

  /** Follows the selected trace. Returns the function that stops. An effect that calls it depends on the selection only. */
  follow(): () => void {
    const traceKey = this.selectedKey
    if (traceKey === 0) {
      this.view = null
      return () => undefined
    }
    if (untrack(() => this.view?.traceKey) !== traceKey) this.view = null
    let isCurrent = true
    const unlisten = api.listen('trace', (view) => {
      if (view.traceKey === traceKey && !pause.paused) this.view = view
    })
    const ask = () =>
      void api.request('trace.query', { traceKey }).then((view) => {
        if (isCurrent) this.view = view
      })
    const stopResuming = pause.onResume(ask)
    ask()
    return () => {
      isCurrent = false
      unlisten()
      stopResuming()
      void api.request('trace.release', null)
    }
  }

  /** Begins a trace and shows it; whether it began. */
  async start(options: TraceOptions): Promise<boolean> {
    this.#starting += 1
    this.failure = null
    try {
      const result = await api.request('trace.start', options)
      if (result.ok) this.selectedKey = result.traceKey
      else this.failure = result.failure
      return result.ok
    } finally {
      this.#starting -= 1
    }
  }

  /** Closing shows the neighbour of the one that is closed. */
  async control(traceKey: number, action: TraceAction): Promise<void> {
    const result = await api.request('trace.control', { traceKey, action })
    if (!result.ok) notices.failed(result.failure)
    else if (action === 'close') this.#takeList(this.items.filter((item) => item.traceKey !== traceKey))
  }

  async export(traceKey: number, format: TraceExportFormat, target: 'clipboard' | 'file'): Promise<void> {
    const result = await api.request('trace.export', { traceKey, format, target })
    if (!result.ok) notices.failed(result.failure)
    else if (target === 'clipboard')
      notices.done(format === 'png' ? 'The picture was copied.' : 'The trace was copied.')
  }

  #takeList(items: TraceListItem[]): void {
    const before = untrack(() => this.items)
    this.items = items
    const selected = untrack(() => this.selectedKey)
    const isThere = items.some(({ traceKey }) => traceKey === selected)
    // A trace that has just begun is selected before the list names it.
    if (isThere || (selected !== 0 && !before.some(({ traceKey }) => traceKey === selected))) return
    const index = before.findIndex(({ traceKey }) => traceKey === selected)
    this.selectedKey = items[Math.min(Math.max(index, 0), items.length - 1)]?.traceKey ?? 0
  }
}

export const traces = new Traces()
