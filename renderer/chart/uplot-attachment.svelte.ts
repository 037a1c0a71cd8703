import uPlot, { type AlignedData, type Options } from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { untrack } from 'svelte'
import type { Attachment } from 'svelte/attachments'

/**
 * Draws a uPlot into the element and keeps it as large as the element is. `options` are read once; `data` is read again
 * whenever something it reads has changed, `redrawOn` forces a redraw (colours, units).
 */
export function uplot(
  options: (element: HTMLElement) => Omit<Options, 'width' | 'height'>,
  data: () => AlignedData,
  redrawOn: () => unknown,
): Attachment<HTMLElement> {
  return (element) => {
    // What is read outside the effects would have the whole chart made anew at every change.
    const plot = untrack(
      () =>
        new uPlot(
          { ...options(element), width: element.clientWidth || 1, height: element.clientHeight || 1 },
          data(),
          element,
        ),
    )
    const observer = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    observer.observe(element)
    $effect(() => plot.setData(data()))
    $effect(() => {
      redrawOn()
      // The axes measure their labels anew, too.
      plot.redraw(false, true)
    })
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }
}
