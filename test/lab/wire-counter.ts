import type { Host, WireTotals } from './host'

/** Which packets a counter counts; ports and addresses as the counting host sees them. */
export interface WireMatch {
  protocol: 'tcp' | 'udp'
  localPort?: number
  remotePort?: number
}

/** Ethernet header, which nftables does not see. */
const linkHeaderBytes = 14

const table = 'inet lab_wire'

/**
 * Ground truth by nftables: the kernel counts what passes the host's first hook on the way in and its last on the way
 * out. Bytes are link-layer frame lengths, as libpcap and the interface's own counters tell them.
 */
export class WireCounter {
  private constructor(
    private readonly host: Host,
    private readonly names: readonly string[],
  ) {}

  /** Starts to count on a host, one counter per name. A host has one WireCounter. */
  static async start(host: Host, matches: Record<string, WireMatch>): Promise<WireCounter> {
    const names = Object.keys(matches)
    const counters = names.map((name) => `counter ${name}_rx {\n}\ncounter ${name}_tx {\n}`)
    const rules = (direction: 'rx' | 'tx'): string =>
      names.map((name) => `${matchRule(matches[name], direction)} counter name ${name}_${direction}`).join('\n')
    // Before defragmentation (-400) and after source NAT (100): the packets as they are on the wire.
    await host.nft(`table ${table} {
${counters.join('\n')}
chain rx {
type filter hook prerouting priority -500; policy accept;
${rules('rx')}
}
chain tx {
type filter hook postrouting priority 500; policy accept;
${rules('tx')}
}
}
`)
    return new WireCounter(host, names)
  }

  async read(): Promise<Record<string, WireTotals>> {
    const listing = JSON.parse(
      await this.host.run('nft', ['-j', 'list', 'counters', 'table', ...table.split(' ')]),
    ) as {
      nftables: { counter?: { name: string; packets: number; bytes: number } }[]
    }
    const counters = new Map(listing.nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter]] : [])))
    const side = (name: string): { bytes: number; packets: number } => {
      const counter = counters.get(name)
      if (counter === undefined) throw new Error(`nftables lists no counter ${name}`)
      return { bytes: counter.bytes + counter.packets * linkHeaderBytes, packets: counter.packets }
    }
    return Object.fromEntries(
      this.names.map((name) => {
        const rx = side(`${name}_rx`)
        const tx = side(`${name}_tx`)
        return [name, { rxBytes: rx.bytes, txBytes: tx.bytes, rxPackets: rx.packets, txPackets: tx.packets }]
      }),
    )
  }
}

function matchRule(match: WireMatch | undefined, direction: 'rx' | 'tx'): string {
  if (match === undefined) throw new Error('a counter needs a match')
  const [localSide, remoteSide] = direction === 'rx' ? ['dport', 'sport'] : ['sport', 'dport']
  const ports = [
    match.localPort === undefined ? '' : `th ${localSide} ${match.localPort}`,
    match.remotePort === undefined ? '' : `th ${remoteSide} ${match.remotePort}`,
  ]
  return [`meta l4proto ${match.protocol}`, ...ports].filter((part) => part !== '').join(' ')
}
