/**
 * Reads custom properties as colours for a canvas, which knows none: a probe in the same place tells what they come to.
 * The colours are those of the moment of the call, so that a redraw follows the theme.
 */
export function cssColors(element: HTMLElement): (name: string, opacityPct?: number) => string {
  const probe = element.appendChild(document.createElement('span'))
  return (name, opacityPct = 100) => {
    probe.style.color = `color-mix(in srgb, var(${name}) ${opacityPct}%, transparent)`
    return getComputedStyle(probe).color
  }
}
