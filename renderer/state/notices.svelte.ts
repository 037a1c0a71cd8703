import type { Failure } from '../../electron/shared/errors'

export interface Notice {
  id: number
  kind: 'done' | 'failed'
  message: string
  /** What the user can do, `''` for nothing. */
  fix: string
}

/** A notice that reports success goes by itself; one that asks for something stays until it is closed. */
const doneShownMs = 4000
/** More at once would cover the window; the oldest go first. */
const maxNotices = 3

/** Short messages at the window's edge about what the user has just asked for. */
class Notices {
  items = $state.raw<Notice[]>([])
  #lastId = 0

  done(message: string): void {
    const id = this.#add('done', message, '')
    setTimeout(() => this.close(id), doneShownMs)
  }

  failed(failure: Failure): void {
    this.#add('failed', failure.message, failure.fix)
  }

  close(id: number): void {
    this.items = this.items.filter((item) => item.id !== id)
  }

  #add(kind: Notice['kind'], message: string, fix: string): number {
    const id = (this.#lastId += 1)
    this.items = [...this.items, { id, kind, message, fix }].slice(-maxNotices)
    return id
  }
}

export const notices = new Notices()
