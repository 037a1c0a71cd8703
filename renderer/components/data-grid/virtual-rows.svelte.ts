import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core'
import { untrack } from 'svelte'
import type { Attachment } from 'svelte/attachments'

export interface VirtualRowsOptions {
  rowCount: number
  rowHeight: number
  /** Heights of what sticks to the top and bottom of the scrolling element. */
  headHeight: number
  footHeight: number
}

/** The rows of a long list that are on screen, with a few around them. */
export class VirtualRows {
  items = $state.raw<VirtualItem[]>([])
  totalHeight = $state(0)

  readonly #options: () => VirtualRowsOptions
  #virtualizer: Virtualizer<HTMLElement, HTMLElement> | undefined

  constructor(options: () => VirtualRowsOptions) {
    this.#options = options
  }

  /** Goes on the element that scrolls. */
  readonly attach: Attachment<HTMLElement> = (element) => {
    // What is read outside the effect would have the attachment put on anew at every change, scrolled to the top.
    const virtualizer = untrack(() => new Virtualizer<HTMLElement, HTMLElement>(this.#settings(element)))
    this.#virtualizer = virtualizer
    const unmount = virtualizer._didMount()
    $effect(() => {
      virtualizer.setOptions(this.#settings(element))
      virtualizer._willUpdate()
      this.#read(virtualizer)
    })
    return () => {
      unmount()
      this.#virtualizer = undefined
    }
  }

  scrollTo(index: number): void {
    this.#virtualizer?.scrollToIndex(index, { align: 'auto' })
  }

  rewind(): void {
    this.#virtualizer?.scrollToOffset(0)
  }

  #settings(element: HTMLElement) {
    const { rowCount, rowHeight, headHeight, footHeight } = this.#options()
    return {
      count: rowCount,
      getScrollElement: () => element,
      estimateSize: () => rowHeight,
      observeElementRect,
      observeElementOffset,
      scrollToFn: elementScroll,
      scrollMargin: headHeight,
      scrollPaddingStart: headHeight,
      scrollPaddingEnd: footHeight,
      overscan: 6,
      onChange: (virtualizer: Virtualizer<HTMLElement, HTMLElement>) => this.#read(virtualizer),
    }
  }

  #read(virtualizer: Virtualizer<HTMLElement, HTMLElement>): void {
    this.items = virtualizer.getVirtualItems()
    this.totalHeight = virtualizer.getTotalSize()
  }
}
