import type { StatusView, Traffic } from '../../electron/shared/views'
import { api } from './api'
import { pause } from './pause.svelte'

/** Helper, interfaces and totals. Never paused: trouble must be seen at once. */
class Status {
  view = $state.raw<StatusView | null>(null)
  /** Totals of everything captured; they stand still while paused. */
  captured = $state.raw<Traffic | null>(null)

  /** Starts the ticks for as long as the window lives. */
  async open(): Promise<void> {
    api.listen('status', (view) => this.#take(view))
    this.#take(await api.request('status.query', null))
  }

  #take(view: StatusView): void {
    this.view = view
    if (!pause.paused) this.captured = view.captured
  }
}

export const status = new Status()
