import type { Host } from './host'
import { startTraffic, type Traffic, type TrafficOptions } from './traffic'

/**
 * One kind of traffic between a near host, on which a monitor may run, and a far host. A new kind is a new entry in a list of
 * these and, where the tools cannot make it yet, one file in tools/traffic/.
 */
export interface Scenario {
  name: string
  protocol: 'tcp' | 'udp'
  family: 4 | 6
  /** Which end the near host is. */
  nearRole: 'client' | 'server'
  /** Payload that the near host sends and receives. */
  txBytes: number
  rxBytes: number
  /** What a server binds to. With `dualStack` an IPv6 wildcard socket serves IPv4. */
  bind?: 'address' | 'wildcard' | 'dualStack'
  /** A UDP client that uses sendto on a socket without a remote. */
  unconnected?: boolean
}

/** The near and the far end of the link that a scenario uses, without prefix length. */
export interface ScenarioAddresses {
  near: Record<4 | 6, string>
  far: Record<4 | 6, string>
}

export interface RunningScenario {
  nearPid: number
  farPid: number
  /** The near end's figures. */
  localPort: number
  remotePort: number
  /** Lets both ends close their sockets and end. */
  finish(): Promise<void>
}

/** Payload of a UDP client that makes itself known to a server that is to send. */
const greetingBytes = 16

/** Far below what a veth link carries, so that no receiver loses a datagram. */
const udpBytesPerSecond = 40_000_000

const families = [4, 6] as const

const megabytes = (count: number): number => count * 1_000_000

/** TCP and UDP, IPv4 and IPv6, each way, from a client's side. */
export const clientScenarios: readonly Scenario[] = (['tcp', 'udp'] as const).flatMap((protocol) =>
  families.flatMap((family): Scenario[] => [
    { name: `${protocol} ipv${family} up`, protocol, family, nearRole: 'client', txBytes: megabytes(3), rxBytes: 0 },
    { name: `${protocol} ipv${family} down`, protocol, family, nearRole: 'client', txBytes: 0, rxBytes: megabytes(3) },
  ]),
)

/** What the plain matrix leaves out: servers, sockets without a remote, both ways at once. */
export const specialScenarios: readonly Scenario[] = [
  ...families.flatMap((family): Scenario[] => [
    {
      name: `tcp ipv${family} both ways`,
      protocol: 'tcp',
      family,
      nearRole: 'client',
      txBytes: megabytes(2),
      rxBytes: megabytes(2),
    },
    {
      name: `udp ipv${family} unconnected client up`,
      protocol: 'udp',
      family,
      nearRole: 'client',
      txBytes: megabytes(2),
      rxBytes: 0,
      unconnected: true,
    },
    {
      name: `udp ipv${family} server bound to its address, down`,
      protocol: 'udp',
      family,
      nearRole: 'server',
      txBytes: 0,
      rxBytes: megabytes(2),
      bind: 'address',
    },
    {
      name: `udp ipv${family} server bound to the wildcard, up`,
      protocol: 'udp',
      family,
      nearRole: 'server',
      txBytes: megabytes(2),
      rxBytes: 0,
      bind: 'wildcard',
    },
    {
      name: `tcp ipv${family} server, down`,
      protocol: 'tcp',
      family,
      nearRole: 'server',
      txBytes: 0,
      rxBytes: megabytes(2),
      bind: 'wildcard',
    },
  ]),
  ...(['tcp', 'udp'] as const).map((protocol): Scenario => ({
    name: `${protocol} ipv4 on a dual-stack server, down`,
    protocol,
    family: 4,
    nearRole: 'server',
    txBytes: 0,
    rxBytes: megabytes(2),
    bind: 'dualStack',
  })),
]

/**
 * Runs a scenario on a port of the server. Resolves when every byte was received; both processes then still hold their
 * sockets, until `finish`.
 */
export async function runScenario(
  scenario: Scenario,
  near: Host,
  far: Host,
  addresses: ScenarioAddresses,
  port: number,
): Promise<RunningScenario> {
  const nearServes = scenario.nearRole === 'server'
  const [serverHost, clientHost] = nearServes ? [near, far] : [far, near]
  const serverAddress = (nearServes ? addresses.near : addresses.far)[scenario.family]
  const [up, down] = nearServes ? [scenario.rxBytes, scenario.txBytes] : [scenario.txBytes, scenario.rxBytes]
  const ends = scenario.protocol === 'tcp' ? tcpEnds(up, down) : udpEnds(up, down)

  const server = startTraffic(serverHost, `${scenario.protocol}-server`, {
    ...ends.server,
    port,
    bind: bindAddress(scenario, serverAddress),
    hold: true,
  })
  await server.ready()
  const client = startTraffic(clientHost, `${scenario.protocol}-client`, {
    ...ends.client,
    port,
    connect: serverAddress,
    hold: true,
    unconnected: scenario.unconnected ?? false,
  })
  const { localPort } = await client.opened()
  await Promise.all([server.done(), client.done()])

  const [nearEnd, farEnd]: [Traffic, Traffic] = nearServes ? [server, client] : [client, server]
  return {
    nearPid: nearEnd.pid,
    farPid: farEnd.pid,
    localPort: nearServes ? port : localPort,
    remotePort: nearServes ? localPort : port,
    finish: async () => {
      await Promise.all([nearEnd.release(), farEnd.release()])
    },
  }
}

type Ends = Record<'client' | 'server', Pick<TrafficOptions, 'send' | 'receive' | 'rate'>>

function tcpEnds(up: number, down: number): Ends {
  return { client: { send: up, receive: down }, server: { send: down, receive: up } }
}

function udpEnds(up: number, down: number): Ends {
  // A datagram server learns its peer's address from the first datagram.
  const sent = down > 0 && up === 0 ? greetingBytes : up
  return {
    client: { send: sent, receive: down, rate: udpBytesPerSecond },
    server: { send: down, receive: sent, rate: udpBytesPerSecond },
  }
}

function bindAddress(scenario: Scenario, address: string): string {
  switch (scenario.bind ?? 'address') {
    case 'address':
      return address
    case 'wildcard':
      return scenario.family === 4 ? '0.0.0.0' : '::'
    case 'dualStack':
      return '::'
  }
}
