/** A hue (degrees) that a name keeps for ever, so that a program is recognised by its colour. FNV-1a spreads similar names. */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  }
  // Steps of 30 degrees: hues closer than that look like a mistake beside each other.
  return ((hash >>> 0) % 12) * 30
}
