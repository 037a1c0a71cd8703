import type { Host } from './host'
import type { Lab } from './lab'

export type Family = 4 | 6
export const families: readonly Family[] = [4, 6]

/** Two hosts with routers between them, in IPv4 and IPv6. */
export interface Chain {
  near: Host
  routers: readonly Host[]
  far: Host
  /** Who answers `near`, nearest first; the last is `far`. */
  hops: Record<Family, readonly string[]>
}

/** `near`, one router that balances, its branches, one that joins them, `far`. */
export interface Diamond {
  near: Host
  split: Host
  branches: readonly Host[]
  join: Host
  far: Host
  /** Who answers `near` behind one branch: split, branch, join, far. */
  hops(family: Family, branch: number): readonly string[]
}

/** Ends of a link: the one nearer to `near` has host number 1, the other 2. */
type End = 1 | 2

const prefixLength: Record<Family, number> = { 4: 24, 6: 64 }

/** Links count from 1: a zero group would be written differently in an IPv6 address. */
function addressOf(family: Family, link: number, end: End): string {
  return family === 4 ? `10.60.${link}.${end}` : `fd00:60:${link}::${end}`
}

function networkOf(family: Family, link: number): string {
  return family === 4 ? `10.60.${link}.0/24` : `fd00:60:${link}::/64`
}

/** A chain in which `far` is hop number `hopCount`. */
export async function buildChain(lab: Lab, hopCount: number): Promise<Chain> {
  const near = await lab.host('near')
  const routers: Host[] = []
  for (let hop = 1; hop < hopCount; hop += 1) routers.push(await addRouter(lab, `router${hop}`))
  const far = await addEnd(lab, 'far')
  const nodes = [near, ...routers, far]
  for (const [index, host] of nodes.slice(1).entries()) await join(lab, nodes[index] as Host, host, index + 1)
  for (const family of families) {
    await addRoute(near, family, 'default', [addressOf(family, 1, 2)])
    await addRoute(far, family, 'default', [addressOf(family, hopCount, 1)])
    for (const [index, router] of routers.entries()) {
      await addRoute(router, family, 'default', [addressOf(family, index + 2, 2)])
      // The first router has the network of `near` at its own interface.
      if (index > 0) await addRoute(router, family, networkOf(family, 1), [addressOf(family, index + 1, 1)])
    }
  }
  const hops = (family: Family): string[] => nodes.slice(1).map((_, index) => addressOf(family, index + 1, 2))
  return { near, routers, far, hops: { 4: hops(4), 6: hops(6) } }
}

const nearLink = 1
const farLink = 2
const branchLink = (branch: number): number => 10 + branch
const joinLink = (branch: number): number => 20 + branch

/** A diamond that balances by the ports of a packet. Answers come back over the first branch, whichever a probe took. */
export async function buildDiamond(lab: Lab, branchCount: number): Promise<Diamond> {
  const near = await lab.host('near')
  const split = await addRouter(lab, 'split')
  const branches: Host[] = []
  for (let branch = 0; branch < branchCount; branch += 1) branches.push(await addRouter(lab, `branch${branch}`))
  const joint = await addRouter(lab, 'join')
  const far = await addEnd(lab, 'far')
  // Policy 1 hashes addresses, protocol and ports (kernel: networking/ip-sysctl, fib_multipath_hash_policy).
  await split.run('sysctl', ['-qw', 'net.ipv4.fib_multipath_hash_policy=1', 'net.ipv6.fib_multipath_hash_policy=1'])
  await join(lab, near, split, nearLink)
  await join(lab, joint, far, farLink)
  for (const [branch, host] of branches.entries()) {
    await join(lab, split, host, branchLink(branch))
    await join(lab, host, joint, joinLink(branch))
  }
  const diamond: Diamond = {
    ...{ near, split, branches, join: joint, far },
    hops: (family, branch) => [
      addressOf(family, nearLink, 2),
      addressOf(family, branchLink(branch), 2),
      // Linux answers from the interface by which the answer leaves in IPv4, by which the probe came in IPv6.
      addressOf(family, joinLink(family === 4 ? 0 : branch), 2),
      addressOf(family, farLink, 2),
    ],
  }
  for (const family of families) {
    await addRoute(near, family, 'default', [addressOf(family, nearLink, 2)])
    await addRoute(far, family, 'default', [addressOf(family, farLink, 1)])
    await addRoute(joint, family, networkOf(family, nearLink), [addressOf(family, joinLink(0), 1)])
    for (const [branch, host] of branches.entries()) {
      await addRoute(host, family, networkOf(family, nearLink), [addressOf(family, branchLink(branch), 1)])
      await addRoute(host, family, networkOf(family, farLink), [addressOf(family, joinLink(branch), 2)])
    }
  }
  await routeOver(diamond, [...branches.keys()])
  return diamond
}

/** Sends what goes to `far` over these branches from now on. */
export async function routeOver({ split }: Diamond, branches: readonly number[]): Promise<void> {
  for (const family of families) {
    const gateways = branches.map((branch) => addressOf(family, branchLink(branch), 2))
    await addRoute(split, family, networkOf(family, farLink), gateways)
  }
}

async function join(lab: Lab, nearer: Host, farther: Host, link: number): Promise<void> {
  const end = (host: Host, number: End, name: string): Parameters<Lab['link']>[0] => ({
    host,
    interface: `${name}${link}`,
    addresses: families.map((family) => `${addressOf(family, link, number)}/${prefixLength[family]}`),
  })
  await lab.link(end(nearer, 1, 'to'), end(farther, 2, 'from'))
}

async function addRoute(host: Host, family: Family, network: string, gateways: readonly string[]): Promise<void> {
  const hops = gateways.length === 1 ? ['via', ...gateways] : gateways.flatMap((gateway) => ['nexthop', 'via', gateway])
  await host.ip(`-${family}`, 'route', 'replace', network, ...hops)
}

/** Linux limits ICMP errors on its own; a test that wants a limit sets one that it can count. */
const unlimited = ['net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0']

async function addEnd(lab: Lab, label: string): Promise<Host> {
  const host = await lab.host(label)
  await host.run('sysctl', ['-qw', ...unlimited])
  return host
}

async function addRouter(lab: Lab, label: string): Promise<Host> {
  const host = await lab.host(label)
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
  // In a diamond packets arrive where the answer does not leave.
  const asymmetric = ['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0']
  await host.run('sysctl', ['-qw', ...forwarding, ...asymmetric, ...unlimited])
  return host
}
