/**
 * The last ten minutes of rates, one sample a tick, for everything captured and for each process that used something.
 */
import type { ChartSample, ChartSeries, ChartSubject } from '../shared/views'

export const historyMs = 10 * 60 * 1000
/** Ten minutes of ticks of 100 ms; shorter ticks do not exist. */
const maxSamples = 6000
/** Processes with a history. At the cap the one that has been quiet for longest loses it. */
const maxSeries = 256

/** Only samples that are not zero, each with the number of its tick: a quiet process costs nothing. */
interface Sparse {
  ticks: number[]
  rxRates: number[]
  txRates: number[]
}

export class ChartHistory {
  /** Times of the kept ticks; the first has number `#firstTick`. */
  #timesS: number[] = []
  /** Ticks in which nothing was measured. */
  #gaps = new Set<number>()
  #firstTick = 0
  readonly #series = new Map<ChartSubject, Sparse>()

  /**
   * Begins the sample of a tick, `isGap` when nothing was measured in it; rates of this tick follow by `record`. False
   * when no time has passed: the tick has its sample already.
   */
  beginTick(nowMs: number, isGap: boolean): boolean {
    const timeS = nowMs / 1000
    const lastS = this.#timesS[this.#timesS.length - 1]
    if (timeS === lastS) return false
    // A clock that was set back would fold the chart over itself.
    if (lastS !== undefined && timeS < lastS) this.#clear()
    this.#timesS.push(timeS)
    if (isGap) this.#gaps.add(this.#lastTick)
    this.#trim(timeS)
    return true
  }

  record(subject: ChartSubject, rxRate: number, txRate: number): void {
    if (rxRate === 0 && txRate === 0) return
    const series = this.#series.get(subject) ?? this.#addSeries(subject)
    series.ticks.push(this.#lastTick)
    series.rxRates.push(rxRate)
    series.txRates.push(txRate)
    // Half of it is stale: cheaper to cut now and then than to shift at every tick.
    const stale = series.ticks.findIndex((tick) => tick >= this.#firstTick)
    if (stale > 64 && stale * 2 > series.ticks.length) {
      series.ticks.splice(0, stale)
      series.rxRates.splice(0, stale)
      series.txRates.splice(0, stale)
    }
  }

  read(subject: ChartSubject): ChartSeries {
    const count = this.#timesS.length
    const rxRates = new Array<number | null>(count).fill(0)
    const txRates = new Array<number | null>(count).fill(0)
    const series = this.#series.get(subject)
    series?.ticks.forEach((tick, index) => {
      const at = tick - this.#firstTick
      if (at < 0) return
      rxRates[at] = series.rxRates[index] ?? 0
      txRates[at] = series.txRates[index] ?? 0
    })
    for (const tick of this.#gaps) {
      rxRates[tick - this.#firstTick] = null
      txRates[tick - this.#firstTick] = null
    }
    return { timesS: this.#timesS.slice(), rxRates, txRates }
  }

  /** The sample of the last tick. */
  last(subject: ChartSubject): ChartSample {
    const timeS = this.#timesS[this.#timesS.length - 1] ?? 0
    if (this.#gaps.has(this.#lastTick)) return { timeS, rxRate: null, txRate: null }
    const series = this.#series.get(subject)
    const at = series === undefined ? -1 : series.ticks.length - 1
    if (series?.ticks[at] !== this.#lastTick) return { timeS, rxRate: 0, txRate: 0 }
    return { timeS, rxRate: series.rxRates[at] ?? 0, txRate: series.txRates[at] ?? 0 }
  }

  get #lastTick(): number {
    return this.#firstTick + this.#timesS.length - 1
  }

  #trim(timeS: number): void {
    let stale = Math.max(0, this.#timesS.length - maxSamples)
    while ((this.#timesS[stale] ?? timeS) < timeS - historyMs / 1000) stale += 1
    if (stale === 0) return
    for (let tick = this.#firstTick; tick < this.#firstTick + stale; tick += 1) this.#gaps.delete(tick)
    this.#timesS.splice(0, stale)
    this.#firstTick += stale
  }

  #addSeries(subject: ChartSubject): Sparse {
    if (this.#series.size >= maxSeries) {
      let quietest: ChartSubject | null = null
      let quietestTick = Infinity
      for (const [other, { ticks }] of this.#series) {
        const lastTick = ticks[ticks.length - 1] ?? -1
        if (other !== 0 && lastTick < quietestTick) {
          quietest = other
          quietestTick = lastTick
        }
      }
      if (quietest !== null) this.#series.delete(quietest)
    }
    const series: Sparse = { ticks: [], rxRates: [], txRates: [] }
    this.#series.set(subject, series)
    return series
  }

  #clear(): void {
    this.#firstTick += this.#timesS.length
    this.#timesS = []
    this.#gaps.clear()
    this.#series.clear()
  }
}
