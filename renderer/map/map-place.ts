/** Something to mark on the map. */
export interface MapPlace {
  id: string
  longitude: number
  latitude: number
  name: string
  /** Shown before the name. */
  numbers: string
  /** False: marked as doubtful, and never what the map is fitted to. */
  isPlausible: boolean
  /** Where the way ends. */
  isEnd: boolean
}

export interface MapArc {
  id: string
  /** Ids of places. */
  from: string
  to: string
}
