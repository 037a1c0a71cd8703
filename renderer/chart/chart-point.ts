/** Rates in bytes per second; null where nothing is known. */
export interface RatePair {
  rxRate: number | null
  txRate: number | null
}

/** What a chart shows at one moment. */
export interface ChartPoint {
  timeS: number
  total: RatePair
  /** Null while no part is drawn. */
  part: RatePair | null
}
