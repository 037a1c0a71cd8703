import { untrack } from 'svelte'
import type { ProcessDetails } from '../../electron/shared/views'
import { api } from './api'
import { pause } from './pause.svelte'

/** The process that the user looks at: marked in the list, drawn in the chart, described in the side panel. */
class ProcessSelection {
  /** 0: none. */
  ownerId = $state(0)
  /** Null while nothing is selected, or until the answer is there. */
  details = $state.raw<ProcessDetails | null>(null)
  /** The process is not known any more. */
  isGone = $state(false)
  panelOpen = $state(true)

  select(ownerId: number): void {
    this.ownerId = ownerId
  }

  clear(): void {
    this.ownerId = 0
  }

  /** Follows the selected process. Returns the function that stops. An effect that calls it depends on the selection only. */
  follow(): () => void {
    const ownerId = this.ownerId
    if (ownerId === 0) {
      this.details = null
      return () => undefined
    }
    if (untrack(() => this.details?.owner.ownerId) !== ownerId) this.details = null
    this.isGone = false
    let isCurrent = true
    const take = (details: ProcessDetails | null) => {
      this.isGone = details === null
      // What was last known of a process is worth more than an empty panel.
      if (details !== null) this.details = details
    }
    const unlisten = api.listen('processDetails', (event) => {
      if (event.ownerId === ownerId && !pause.paused) take(event.details)
    })
    void api.request('processDetails.query', { ownerId }).then((details) => {
      if (isCurrent) take(details)
    })
    return () => {
      isCurrent = false
      unlisten()
      void api.request('processDetails.release', null)
    }
  }
}

export const processSelection = new ProcessSelection()
