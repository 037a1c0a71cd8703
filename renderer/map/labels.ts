export interface LabelWish {
  id: string
  text: string
  x: number
  y: number
}

export interface PlacedLabel extends LabelWish {
  anchor: 'start' | 'end'
}

const charWidth = 6.4
const lineHeight = 14
const offset = 10

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Puts labels beside their points, the first wishes first; those that would lie on another or leave the picture are left out. */
export function placeLabels(wishes: readonly LabelWish[], width: number): PlacedLabel[] {
  const taken: Box[] = wishes.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  const placed: PlacedLabel[] = []
  wishes.forEach((wish, index) => {
    for (const anchor of ['start', 'end'] as const) {
      const length = wish.text.length * charWidth
      const left = anchor === 'start' ? wish.x + offset : wish.x - offset - length
      const box = { left, right: left + length, top: wish.y - lineHeight / 2, bottom: wish.y + lineHeight / 2 }
      const isFree = taken.every((other, otherIndex) => otherIndex === index || !overlap(box, other))
      if (!isFree || box.left < 2 || box.right > width - 2) continue
      taken.push(box)
      placed.push({ ...wish, anchor })
      return
    }
  })
  return placed
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
}
