export type Picture = 'latency' | 'path' | 'map'

/** How the user has arranged the page; the same for all traces, kept while other tabs are shown. */
class TraceLayout {
  /** All beside each other where there is room. */
  shown = $state<Picture | 'all'>('all')
  /** Part of the page's height that the pictures take. */
  picturesPct = $state(32)

  resize(pct: number): void {
    this.picturesPct = Math.min(80, Math.max(20, pct))
  }
}

export const traceLayout = new TraceLayout()
