import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBlast, type Blast, type BlastDone } from '../lab/blast'
import type { Host } from '../lab/host'
import type { Lab } from '../lab/lab'
import { startTraffic } from '../lab/traffic'
import type { Transport } from './options'

export const frameBytes = 60
export const interfaceName = 'eth0'

const servicePort = 5001

/** What the generator sends in one case. */
export interface Load {
  transport: Transport
  flows: number
  /** Frames per second; 0: as fast as it can. */
  rate: number
  seconds: number
}

/** The generator takes the last CPU, everything that is measured the others. */
const generatorCpu = cpus().length - 1
export const measuredCpus = generatorCpu === 0 ? '0' : `0-${generatorCpu - 1}`

/**
 * A generator and a capturing host on one link. The frames go to a socket that a process has open, so that attribution
 * has work to do, and are dropped behind the capture tap, so that the kernel has none with them.
 */
export class BenchLink {
  private constructor(
    readonly capturing: Host,
    private readonly generator: Host,
    private readonly destinationMac: string,
  ) {}

  static async create(lab: Lab): Promise<BenchLink> {
    const capturing = await lab.host('capturing')
    const generator = await lab.host('generator')
    await lab.link(
      { host: capturing, interface: interfaceName, addresses: ['10.99.255.1/16'] },
      { host: generator, interface: interfaceName, addresses: ['10.99.254.1/16'] },
    )
    await capturing.nft(`table netdev bench {
chain behind_the_tap {
type filter hook ingress device ${interfaceName} priority 0; policy accept;
udp dport ${servicePort} drop
tcp dport ${servicePort} drop
}
}
`)
    const server = startTraffic(capturing, 'udp-server', { port: servicePort, bind: '0.0.0.0', receive: 1 })
    await server.ready()
    return new BenchLink(capturing, generator, await capturing.linkLayerAddress(interfaceName))
  }

  /** A generator that has built its frames. */
  async prepare({ transport, flows, rate, seconds }: Load): Promise<Blast> {
    return this.start({ tcp: transport === 'tcp', flows, rate, seconds })
  }

  /** Frames that have arrived at the capturing host, whoever counted them. */
  async receivedPackets(): Promise<number> {
    return (await this.capturing.linkTotals(interfaceName)).rxPackets
  }

  /** A few frames of one flow, so that everybody has opened and allocated what it needs. */
  async warmUp(): Promise<BlastDone> {
    const blast = await this.start({ flows: 1, rate: 1000, count: 100 })
    blast.go()
    return blast.done()
  }

  private async start(amount: {
    tcp?: boolean
    flows: number
    rate: number
    seconds?: number
    count?: number
  }): Promise<Blast> {
    const blast = startBlast(this.generator, {
      ...amount,
      interface: interfaceName,
      destinationMac: this.destinationMac,
      source: '10.99.0.1',
      destination: '10.99.255.1',
      port: servicePort,
      size: frameBytes,
      ...(generatorCpu > 0 ? { cpu: generatorCpu } : {}),
    })
    await blast.ready()
    return blast
  }
}

/** Resolves when `cpuNs` has all but stopped to rise: what was captured is then processed. */
export async function untilIdle(cpuNs: () => number, limitMs = 5_000): Promise<void> {
  const stepMs = 500
  let before = cpuNs()
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += stepMs) {
    await sleep(stepMs)
    const now = cpuNs()
    if (waitedMs > stepMs && now - before < stepMs * 1e6 * 0.05) return
    before = now
  }
}
