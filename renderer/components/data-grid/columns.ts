import type { Component, Snippet } from 'svelte'

/** A column of a `DataGrid`. `Id` is what the list is sorted by. */
export interface GridColumn<Row, Id extends string = string> {
  id: Id
  /** What the header shows. */
  label: string
  /** What the header says to screen readers and in its tooltip: the label and what it leaves out. */
  description: string
  /** Pixels. The column that grows takes at least these. */
  width: number
  /** Takes the width that is left; one column of a grid. */
  grows?: boolean
  /** `end` for figures. */
  align?: 'start' | 'end'
  /** The first click sorts the largest to the top. */
  descendingFirst?: boolean
  /** The column makes room when the grid is narrower than this (pixels). */
  hiddenBelow?: number
  icon?: Component<{ size?: number | string }>
  tone?: 'rx' | 'tx'
  cell: Snippet<[Row]>
}

/** Narrower, and a header could not be grasped any more. */
export const minColumnWidth = 44
