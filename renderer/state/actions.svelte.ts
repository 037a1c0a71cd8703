import type { Failure } from '../../electron/shared/errors'
import { api } from './api'
import { notices } from './notices.svelte'

/** Copies `text` and says so: `what` is the subject of "... copied". */
export async function copyText(text: string, what: string): Promise<void> {
  await api.request('clipboard.write', { text })
  notices.done(`${what} copied.`)
}

/** Ends the process incarnation that was shown, never another one that has got its pid since. */
export async function endProcess(ownerId: number, name: string, force: boolean): Promise<void> {
  const result = await api.request('process.end', { ownerId, force })
  if (result.ok) notices.done(force ? `${name} was killed.` : `${name} was asked to end.`)
  else notices.failed(result.failure)
}

/** Asks for the helper's capabilities; one question at a time. */
class Grant {
  isAsking = $state(false)
  /** Why the last attempt failed; null when there was none. */
  failure = $state.raw<Failure | null>(null)

  async ask(): Promise<void> {
    if (this.isAsking) return
    this.isAsking = true
    this.failure = null
    try {
      const result = await api.request('helper.grant', null)
      if (result.ok) notices.done('The helper may capture now.')
      else this.failure = result.failure
    } finally {
      this.isAsking = false
    }
  }
}

export const grant = new Grant()

export async function restartHelper(): Promise<void> {
  const result = await api.request('helper.restart', null)
  if (!result.ok) notices.failed(result.failure)
}
