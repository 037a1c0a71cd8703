import { runCommand } from './command'
import { LabProcess } from './lab-process'
import type { SpawnOptionsWithoutStdio } from 'node:child_process'

/** Totals in both directions, as the host sees them. */
export interface WireTotals {
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
}

/** A machine of the lab: one network namespace, with the processes and the file system of the real one. */
export class Host {
  constructor(
    readonly namespace: string,
    readonly label: string,
  ) {}

  /** Runs a program in the host to its end and gives its standard output. */
  run(program: string, args: readonly string[], input = ''): Promise<string> {
    return runCommand('ip', ['netns', 'exec', this.namespace, program, ...args], input)
  }

  /** Starts a program in the host. `ip netns exec` becomes the program, so the pid is the program's own. */
  spawn(program: string, args: readonly string[], options: SpawnOptionsWithoutStdio = {}): LabProcess {
    return new LabProcess('ip', ['netns', 'exec', this.namespace, program, ...args], options)
  }

  /** `ip` in the host: `host.ip('link', 'set', 'eth0', 'up')`. */
  ip(...args: string[]): Promise<string> {
    return runCommand('ip', ['-n', this.namespace, ...args])
  }

  async addAddress(interfaceName: string, address: string): Promise<void> {
    const noDad = address.includes(':') ? ['nodad'] : []
    await this.ip('address', 'add', address, 'dev', interfaceName, ...noDad)
  }

  /** Loads nftables rules into the host. */
  async nft(rules: string): Promise<void> {
    await this.run('nft', ['-f', '-'], rules)
  }

  /** The kernel's counters of an interface; bytes are link-layer frame lengths. */
  async linkTotals(interfaceName: string): Promise<WireTotals> {
    const [link] = JSON.parse(await this.ip('-s', '-j', 'link', 'show', interfaceName)) as IpLink[]
    if (link === undefined) throw new Error(`${this.label} has no interface ${interfaceName}`)
    const { rx, tx } = link.stats64
    return { rxBytes: rx.bytes, txBytes: tx.bytes, rxPackets: rx.packets, txPackets: tx.packets }
  }

  async linkLayerAddress(interfaceName: string): Promise<string> {
    const [link] = JSON.parse(await this.ip('-j', 'link', 'show', interfaceName)) as IpLink[]
    if (link === undefined) throw new Error(`${this.label} has no interface ${interfaceName}`)
    return link.address
  }
}

interface IpLink {
  address: string
  stats64: Record<'rx' | 'tx', { bytes: number; packets: number }>
}

/** What happened between two readings. */
export function difference(after: WireTotals, before: WireTotals): WireTotals {
  return {
    rxBytes: after.rxBytes - before.rxBytes,
    txBytes: after.txBytes - before.txBytes,
    rxPackets: after.rxPackets - before.rxPackets,
    txPackets: after.txPackets - before.txPackets,
  }
}
