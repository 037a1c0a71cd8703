import { untrack } from 'svelte'
import { maxRowsPerView, type ListQuery, type ListView } from '../../electron/shared/views'
import type { Pause } from './pause.svelte'

/** The calls behind one kind of list. */
export interface ListSource<Query, View> {
  query(query: Query): Promise<View>
  release(): Promise<unknown>
  /** Returns the function that stops listening. */
  listen(listener: (view: View) => void): () => void
}

/** Rows asked for beyond each end of what is on screen, so that a short scroll finds its rows already there. */
const marginRows = 40

/**
 * A list of which only the page on screen is here. It listens before it asks, so that nothing falls between the answer
 * and the first tick; while a question is under way, ticks still answer the one before it and are left out.
 */
export class LiveList<Row, Query extends ListQuery<string>, View extends ListView<Row>> {
  /** The last answer; null until the first. */
  view = $state.raw<View | null>(null)
  query: Query = $state.raw() as Query
  /** Why there is no answer, `''` while there is none to give. */
  failure = $state('')
  /** Counts the changes after which the list must be seen from its start. */
  rewinds = $state(0)

  readonly #source: ListSource<Query, View>
  readonly #pause: Pick<Pause, 'paused' | 'onResume'>
  #isOpen = false
  #isAsking = false
  #isStale = false

  /** During a pause ticks are left out; what the user asks for is answered all the same. */
  constructor(source: ListSource<Query, View>, initial: Query, pause: Pick<Pause, 'paused' | 'onResume'>) {
    this.#source = source
    this.query = initial
    this.#pause = pause
  }

  /** Starts the ticks. Returns the function that ends them. An effect that calls it depends on nothing here. */
  open(): () => void {
    this.#isOpen = true
    // The list is seen from its start, and no pointer is over it yet.
    untrack(() => (this.query = { ...this.query, offset: 0, holdOrder: false }))
    const unlisten = this.#source.listen((view) => {
      if (!this.#isAsking && !this.#pause.paused) this.view = view
    })
    const stopResuming = this.#pause.onResume(() => void this.refresh())
    void this.refresh()
    return () => {
      this.#isOpen = false
      unlisten()
      stopResuming()
      void this.#source.release()
    }
  }

  /** Changes what is asked for (sort, filter, group); the list starts over from its first row. */
  ask(change: Partial<Query>): void {
    this.query = { ...this.query, ...change, offset: 0, holdOrder: false }
    this.rewinds += 1
    void this.refresh()
  }

  /** Keeps the order of rows as it is, or lets it go. */
  holdOrder(holdOrder: boolean): void {
    if (holdOrder === this.query.holdOrder) return
    this.query = { ...this.query, holdOrder }
    if (!this.#pause.paused) void this.refresh()
  }

  /** Rows `first` to `last` are on screen: asks for another page when it is about to run out. */
  show(first: number, last: number): void {
    const { offset, limit } = this.query
    const rowCount = this.view?.rowCount ?? 0
    const startsTooLate = first < offset + (offset === 0 ? 0 : marginRows / 4)
    const endsTooSoon = last > offset + limit - marginRows / 4 && offset + limit < rowCount
    const isWide = last - first + 1 + 2 * marginRows > limit && limit < maxRowsPerView
    if (!startsTooLate && !endsTooSoon && !isWide) return
    this.query = {
      ...this.query,
      // While paused, pages that are fetched one after the other must fit together.
      holdOrder: this.query.holdOrder || this.#pause.paused,
      offset: Math.max(0, first - marginRows),
      // In steps, so that half a row more on screen is no reason to ask again.
      limit: Math.min(maxRowsPerView, Math.ceil((last - first + 1 + 2 * marginRows) / 20) * 20),
    }
    void this.refresh()
  }

  /** The row at `index` of the whole list, undefined while its page is on the way. */
  rowAt(index: number): Row | undefined {
    return this.view?.rows[index - this.view.offset]
  }

  /** Asks again. One question at a time: those made meanwhile are replaced by the latest. */
  async refresh(): Promise<void> {
    if (!this.#isOpen) return
    this.#isStale = true
    if (this.#isAsking) return
    this.#isAsking = true
    while (this.#isStale) {
      this.#isStale = false
      try {
        this.view = await this.#source.query(untrack(() => this.query))
        this.failure = ''
      } catch (error) {
        this.failure = error instanceof Error ? error.message : String(error)
      }
    }
    this.#isAsking = false
  }
}
