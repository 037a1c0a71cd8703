import { beforeEach, describe, expect, it } from 'vitest'
import { maxRowsPerView, type ListQuery, type ListView } from '../../../electron/shared/views'
import { LiveList, type ListSource } from '../../../renderer/state/live-list.svelte'
import { Pause } from '../../../renderer/state/pause.svelte'
import { settle } from './fake-window'

type Query = ListQuery<'name'>
type View = ListView<number>

/** A list of the numbers 0 to 9999 whose answers come when the test says so. */
class ManualSource implements ListSource<Query, View> {
  readonly calls: string[] = []
  readonly queries: Query[] = []
  #listener: ((view: View) => void) | undefined
  #pending: { resolve: (view: View) => void; reject: (error: Error) => void }[] = []

  query(query: Query): Promise<View> {
    this.calls.push('query')
    this.queries.push(query)
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }))
  }

  release(): Promise<unknown> {
    this.calls.push('release')
    return Promise.resolve()
  }

  listen(listener: (view: View) => void): () => void {
    this.calls.push('listen')
    this.#listener = listener
    return () => (this.#listener = undefined)
  }

  view(timeMs: number, { offset, limit } = this.queries.at(-1) ?? { offset: 0, limit: 0 }): View {
    return {
      timeMs,
      offset,
      rowCount: 10_000,
      totalCount: 10_000,
      rows: Array.from({ length: limit }, (_, i) => offset + i),
    }
  }

  tick(timeMs: number): void {
    this.#listener?.(this.view(timeMs))
  }

  async answer(timeMs: number): Promise<void> {
    this.#pending.shift()?.resolve(this.view(timeMs))
    await settle()
  }

  async refuse(message: string): Promise<void> {
    this.#pending.shift()?.reject(new Error(message))
    await settle()
  }
}

const initial: Query = {
  sort: { column: 'name', descending: false },
  filter: '',
  offset: 0,
  limit: 120,
  holdOrder: false,
}

describe('a live list', () => {
  let source: ManualSource
  let pause: Pause
  let list: LiveList<number, Query, View>
  let close: () => void

  beforeEach(() => {
    source = new ManualSource()
    pause = new Pause()
    list = new LiveList<number, Query, View>(source, initial, pause)
    close = list.open()
  })

  it('listens before it asks', () => {
    expect(source.calls).toEqual(['listen', 'query'])
  })

  it('is continued by ticks after the answer', async () => {
    await source.answer(1)
    expect(list.view?.timeMs).toBe(1)
    source.tick(2)
    expect(list.view?.timeMs).toBe(2)
  })

  it('leaves out ticks that answer an older question', async () => {
    await source.answer(1)
    list.ask({ filter: 'x' })
    source.tick(2)
    expect(list.view?.timeMs).toBe(1)
    await source.answer(3)
    expect(list.view?.timeMs).toBe(3)
  })

  it('asks one question at a time and then only the latest', async () => {
    list.ask({ filter: 'f' })
    list.ask({ filter: 'fi' })
    list.ask({ filter: 'fir' })
    expect(source.queries).toHaveLength(1)
    await source.answer(1)
    expect(source.queries.map(({ filter }) => filter)).toEqual(['', 'fir'])
  })

  it('starts over from the first row when the question changes', async () => {
    await source.answer(1)
    list.show(500, 530)
    await source.answer(2)
    expect(list.query.offset).toBeGreaterThan(0)
    list.ask({ sort: { column: 'name', descending: true } })
    expect(list.query.offset).toBe(0)
    expect(list.rewinds).toBe(1)
  })

  it('asks for the page around the rows on screen, and not again while they are there', async () => {
    await source.answer(1)
    list.show(0, 30)
    expect(source.queries).toHaveLength(1)
    list.show(300, 330)
    await source.answer(2)
    expect(source.queries).toHaveLength(2)
    expect(list.rowAt(300)).toBe(300)
    expect(list.rowAt(330)).toBe(330)
    list.show(305, 335)
    expect(source.queries).toHaveLength(2)
  })

  it('never asks for more rows than a view may have', async () => {
    await source.answer(1)
    list.show(0, 5000)
    expect(list.query.limit).toBe(maxRowsPerView)
  })

  it('knows no row whose page is still on the way', async () => {
    await source.answer(1)
    list.show(5000, 5030)
    expect(list.rowAt(5000)).toBeUndefined()
    await source.answer(2)
    expect(list.rowAt(5000)).toBe(5000)
  })

  it('stands still while paused, but answers the user', async () => {
    await source.answer(1)
    pause.toggle()
    source.tick(2)
    expect(list.view?.timeMs).toBe(1)
    list.ask({ filter: 'x' })
    await source.answer(3)
    expect(list.view?.timeMs).toBe(3)
  })

  it('holds the order on request and lets it go when the question changes', async () => {
    await source.answer(1)
    list.holdOrder(true)
    await source.answer(2)
    expect(source.queries.at(-1)?.holdOrder).toBe(true)
    list.ask({ filter: 'x' })
    await source.answer(3)
    expect(source.queries.at(-1)?.holdOrder).toBe(false)
  })

  it('catches up as soon as the pause ends', async () => {
    await source.answer(1)
    pause.toggle()
    pause.toggle()
    await source.answer(2)
    expect(list.view?.timeMs).toBe(2)
  })

  it('does not ask because a pointer comes by while it is paused', async () => {
    await source.answer(1)
    pause.toggle()
    list.holdOrder(true)
    expect(source.queries).toHaveLength(1)
  })

  it('fetches pages in the order of the last answer while it is paused', async () => {
    await source.answer(1)
    pause.toggle()
    list.show(500, 530)
    expect(source.queries.at(-1)).toMatchObject({ holdOrder: true })
  })

  it('is seen from its start, in a fresh order, when it is opened again', async () => {
    await source.answer(1)
    list.show(500, 530)
    list.holdOrder(true)
    await source.answer(2)
    await source.answer(3)
    close()
    list.open()
    expect(source.queries.at(-1)).toMatchObject({ offset: 0, holdOrder: false })
  })

  it('says why there is no answer, and recovers', async () => {
    await source.refuse('The main process is busy.')
    expect(list.failure).toBe('The main process is busy.')
    void list.refresh()
    await source.answer(1)
    expect(list.failure).toBe('')
    expect(list.view?.timeMs).toBe(1)
  })

  it('releases its question and hears nothing more when it is closed', async () => {
    await source.answer(1)
    close()
    source.tick(2)
    void list.refresh()
    expect(list.view?.timeMs).toBe(1)
    expect(source.calls).toEqual(['listen', 'query', 'release'])
  })
})
