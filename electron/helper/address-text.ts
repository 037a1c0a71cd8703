/**
 * Addresses of batch records as text: IPv4 dotted, IPv6 as RFC 5952 wants it.
 */

/** The 16 bytes at `offset` as an address of `family` (4 or 6); `''` for every other family. */
export function addressText(bytes: Uint8Array, offset: number, family: number): string {
  if (family === 4) return ipv4Text(bytes, offset)
  if (family === 6) return ipv6Text(bytes, offset)
  return ''
}

function ipv4Text(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`
}

function ipv6Text(bytes: Uint8Array, offset: number): string {
  const groups: number[] = []
  for (let group = 0; group < 8; group += 1) {
    groups.push(((bytes[offset + 2 * group] ?? 0) << 8) | (bytes[offset + 2 * group + 1] ?? 0))
  }
  // RFC 5952 section 5: addresses that embed IPv4 by a known prefix keep it readable.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes, offset + 12)}`
  }
  const zeros = longestZeroRun(groups)
  if (zeros === null) return groups.map(hex).join(':')
  return `${groups.slice(0, zeros.start).map(hex).join(':')}::${groups.slice(zeros.end).map(hex).join(':')}`
}

/** The first of the longest runs of zero groups; a single zero group is not shortened (section 4.2.2). */
function longestZeroRun(groups: number[]): { start: number; end: number } | null {
  let best: { start: number; end: number } | null = null
  for (let start = 0; start < groups.length; start += 1) {
    let end = start
    while (end < groups.length && groups[end] === 0) end += 1
    if (end - start >= 2 && (best === null || end - start > best.end - best.start)) best = { start, end }
    start = Math.max(start, end)
  }
  return best
}

function hex(group: number): string {
  return group.toString(16)
}
