/**
 * An address as text that sorts by its value: 10.0.0.9 before 10.0.0.10, IPv4 before IPv6, nothing before both.
 */
export function addressSortKey(address: string): string {
  if (address === '') return ''
  if (!address.includes(':')) return `4${address.split('.').map(padDecimal).join('')}`
  const [head = '', tail] = address.split('::', 2)
  const headGroups = groupsOf(head)
  const tailGroups = tail === undefined ? [] : groupsOf(tail)
  const zeros = new Array<string>(Math.max(0, 8 - headGroups.length - tailGroups.length)).fill('0000')
  return `6${[...headGroups, ...zeros, ...tailGroups].join('')}`
}

function groupsOf(part: string): string[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [group.padStart(4, '0')]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a * 256 + b).toString(16).padStart(4, '0'), (c * 256 + d).toString(16).padStart(4, '0')]
  })
}

function padDecimal(part: string): string {
  return part.padStart(3, '0')
}
