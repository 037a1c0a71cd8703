import type { ChartSample, ChartSeries, ChartSubject } from '../../electron/shared/views'
import { api } from './api'

/** How far back the chart goes. */
const chartSpanS = 600

/** The last minutes of one subject, continued by one sample a tick. */
export class TrafficSeries {
  /** A new object at every sample, so that readers see the change. */
  series = $state.raw<ChartSeries | null>(null)

  /** Follows `subject` (0: everything captured). Returns the function that stops. */
  follow(subject: ChartSubject): () => void {
    let isCurrent = true
    this.series = null
    const unlisten = api.listen('chart', (event) => {
      // Without a series the answer is still on the way, and contains this sample.
      if (event.subject === subject && this.series !== null) this.series = append(this.series, event.sample)
    })
    void api.request('chart.query', { subject }).then((series) => {
      if (isCurrent) this.series = series
    })
    return () => {
      isCurrent = false
      unlisten()
      this.series = null
      void api.request('chart.release', { subject })
    }
  }
}

/** The part of a series that was there at `timeS`. */
export function seriesUntil(series: ChartSeries, timeS: number): ChartSeries {
  const after = series.timesS.findIndex((time) => time > timeS)
  if (after < 0) return series
  return {
    timesS: series.timesS.slice(0, after),
    rxRates: series.rxRates.slice(0, after),
    txRates: series.txRates.slice(0, after),
  }
}

function append(series: ChartSeries, sample: ChartSample): ChartSeries {
  const last = series.timesS.at(-1)
  // A clock that was set back would draw the line backwards; uPlot needs rising times.
  if (last !== undefined && sample.timeS <= last) return series
  let first = 0
  while ((series.timesS[first] ?? Infinity) < sample.timeS - chartSpanS) first += 1
  return {
    timesS: [...series.timesS.slice(first), sample.timeS],
    rxRates: [...series.rxRates.slice(first), sample.rxRate],
    txRates: [...series.txRates.slice(first), sample.txRate],
  }
}
