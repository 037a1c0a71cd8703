import { isIPv6 } from 'node:net'

/** An address as a number, so that ranges can be compared. Only for texts of which `isIP` is not 0. */
export function addressNumber(address: string): bigint {
  return isIPv6(address) ? ipv6Number(address) : ipv4Number(address)
}

function ipv4Number(address: string): bigint {
  return address.split('.').reduce((number, part) => number * 256n + BigInt(part), 0n)
}

function ipv6Number(address: string): bigint {
  const [bare = ''] = address.split('%')
  // An IPv4 tail stands for the last two groups.
  const plain = bare.replace(/\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const number = ipv4Number(tail)
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((number, group) => number * 65_536n + BigInt(`0x${group}`), 0n)
}
