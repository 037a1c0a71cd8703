/**
 * What kind of address it is, by IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates).
 */
import { BlockList, isIP } from 'node:net'
import type { AddressKind } from '../shared/trace'

/** The first match wins, so narrower blocks stand before wider ones. */
const blocks: readonly (readonly [kind: AddressKind, ...prefixes: string[]])[] = [
  ['unspecified', '0.0.0.0/32', '::/128'],
  ['broadcast', '255.255.255.255/32'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  ['cgnat', '100.64.0.0/10'],
  ['linkLocal', '169.254.0.0/16', 'fe80::/10'],
  ['uniqueLocal', 'fc00::/7'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  // Anycast addresses of protocols inside a reserved block, RFC 7723 and 8155.
  ['public', '192.0.0.9/32', '192.0.0.10/32', '2001:1::1/128', '2001:1::2/128', '2001:3::/32', '2001:4:112::/48'],
  ['reserved', '0.0.0.0/8', '192.0.0.0/24', '198.18.0.0/15', '240.0.0.0/4', '64:ff9b:1::/48', '100::/64'],
  ['reserved', '2001:2::/48', '2001:10::/28', 'fec0::/10'],
  // Everything of IPv6 that is global unicast lies in these; the rest is not given out.
  ['public', '2000::/3', '64:ff9b::/96'],
]

const lists = blocks.map(([kind, ...prefixes]) => {
  const list = new BlockList()
  for (const prefix of prefixes) {
    const [network = '', length = ''] = prefix.split('/')
    list.addSubnet(network, Number(length), isIP(network) === 6 ? 'ipv6' : 'ipv4')
  }
  return { kind, list }
})

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** The kind of an address; text that is no address is `reserved`. */
export function addressKind(address: string): AddressKind {
  const bare = (address.split('%')[0] ?? '').replace(mapped, '$1')
  const family = isIP(bare)
  if (family === 0) return 'reserved'
  const found = lists.find(({ list }) => list.check(bare, family === 6 ? 'ipv6' : 'ipv4'))
  return found?.kind ?? (family === 6 ? 'reserved' : 'public')
}
