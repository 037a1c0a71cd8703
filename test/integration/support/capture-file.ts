import { runCommand } from '../../lab/command'

/** Frames and their link-layer bytes, both directions together: a file does not say which end was local. */
export interface Conversation {
  packets: number
  bytes: number
}

/** Key of a conversation that does not depend on its direction. */
export function conversationKey(protocol: string, a: [string, number], b: [string, number]): string {
  return [protocol.toLowerCase(), ...[a.join(' '), b.join(' ')].sort()].join(' | ')
}

const fields = [
  'frame.len',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'ip.id',
  'ipv6.fraghdr.ident',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
]

/**
 * TCP and UDP conversations of a capture file as Wireshark's dissectors read it. Later fragments, which carry no ports,
 * belong to the conversation of their first.
 */
export async function conversationsByTshark(file: string): Promise<Map<string, Conversation>> {
  const output = await runCommand('tshark', [
    // An ICMP error shows the ports of the packet that it quotes.
    ...['-r', file, '-Y', 'not icmp and not icmpv6', '-T', 'fields', '-E', 'separator=,', '-E', 'occurrence=f'],
    ...['-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE', '-o', 'tcp.desegment_tcp_streams:FALSE'],
    ...fields.flatMap((field) => ['-e', field]),
  ])
  const conversations = new Map<string, Conversation>()
  const keyOfDatagram = new Map<string, string>()
  for (const line of output.trim().split('\n')) {
    const [length = '', ip4Src, ip4Dst, ip6Src, ip6Dst, id4, id6, tcpSrc, tcpDst, udpSrc, udpDst] = line.split(',')
    const [source, destination] = [ip4Src || ip6Src || '', ip4Dst || ip6Dst || '']
    const datagram = [source, destination, id4 || id6].join(' ')
    const key =
      tcpSrc || udpSrc
        ? conversationKey(
            tcpSrc ? 'tcp' : 'udp',
            [source, Number(tcpSrc || udpSrc)],
            [destination, Number(tcpDst || udpDst)],
          )
        : keyOfDatagram.get(datagram)
    if (key === undefined) continue
    keyOfDatagram.set(datagram, key)
    const conversation = conversations.get(key) ?? { packets: 0, bytes: 0 }
    conversation.packets += 1
    conversation.bytes += Number(length)
    conversations.set(key, conversation)
  }
  return conversations
}

/** Frames and link-layer bytes of a capture file as capinfos counts them. */
export async function totalsByCapinfos(file: string): Promise<Conversation> {
  const output = await runCommand('capinfos', ['-M', '-c', '-d', file])
  const figure = (label: string): number => Number(new RegExp(`${label}\\s*[:=]\\s*(\\d+)`).exec(output)?.[1])
  return { packets: figure('Number of packets'), bytes: figure('Data size') }
}

/** A little-endian pcap file with microseconds as the same file in big-endian, byte by byte. */
export function byteSwapped(pcap: Buffer): Buffer {
  const swapped = Buffer.from(pcap)
  swapped.subarray(0, 4).swap32()
  swapped.subarray(4, 8).swap16()
  swapped.subarray(8, 24).swap32()
  for (let offset = 24; offset < pcap.length; offset += 16 + pcap.readUInt32LE(offset + 8))
    swapped.subarray(offset, offset + 16).swap32()
  return swapped
}
