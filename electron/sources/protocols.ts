/**
 * Names of IP protocols and EtherTypes: common ones as people write them, the rest as the system's files do.
 */
import { parseNameFile, readSystemFile } from './name-file'

/** IANA, Protocol Numbers. */
const protocolNames: Readonly<Record<number, string>> = {
  0: 'IPv6 hop-by-hop',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPIP',
  6: 'TCP',
  17: 'UDP',
  33: 'DCCP',
  41: '6in4',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  59: 'IPv6 no next header',
  89: 'OSPF',
  103: 'PIM',
  112: 'VRRP',
  115: 'L2TP',
  132: 'SCTP',
  136: 'UDP-Lite',
  253: 'experiment 253',
  254: 'experiment 254',
}

/** IEEE 802 numbers; below 0x0600 stands a length, and the frame is of 802.2. */
const etherTypeNames: Readonly<Record<number, string>> = {
  0x0000: '802.2',
  0x0800: 'IPv4',
  0x0806: 'ARP',
  0x0842: 'Wake-on-LAN',
  0x22f0: 'AVTP',
  0x8035: 'RARP',
  0x8100: '802.1Q',
  0x86dd: 'IPv6',
  0x8808: 'flow control',
  0x8809: 'LACP',
  0x8847: 'MPLS',
  0x8848: 'MPLS multicast',
  0x8863: 'PPPoE discovery',
  0x8864: 'PPPoE',
  0x888e: '802.1X',
  0x88a8: '802.1ad',
  0x88cc: 'LLDP',
  0x88e5: 'MACsec',
  0x88f7: 'PTP',
  0x9000: 'loopback test',
}

function namesByNumber(path: string, radix: number): Map<number, string> {
  const names = new Map<number, string>()
  for (const { name, value } of parseNameFile(readSystemFile(path))) {
    const number = Number.parseInt(value, radix)
    if (Number.isInteger(number) && !names.has(number)) names.set(number, name.toUpperCase())
  }
  return names
}

let systemProtocols: Map<number, string> | null = null
let systemEtherTypes: Map<number, string> | null = null

/** The name of an IP protocol, `''` when it has none. */
export function protocolName(protocol: number): string {
  systemProtocols ??= namesByNumber('/etc/protocols', 10)
  return protocolNames[protocol] ?? systemProtocols.get(protocol) ?? ''
}

/** The name of an EtherType, `''` when it has none. */
export function etherTypeName(etherType: number): string {
  systemEtherTypes ??= namesByNumber('/etc/ethertypes', 16)
  return etherTypeNames[etherType] ?? systemEtherTypes.get(etherType) ?? ''
}
