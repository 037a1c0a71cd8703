/**
 * The kernel's own tables as the commands show them: what identifies an item, and its columns.
 */
import type { Helper } from '../helper/helper'
import { succeed, type Outcome } from '../shared/errors'
import type { Link, Neighbor, Owner, Route, SocketRecord } from '../shared/helper-messages'
import { formatBytes, formatEndpoint } from '../shared/units'
import { protocolName } from '../sources/protocols'
import { serviceName } from '../sources/services'
import { userName } from '../sources/users'
import type { Column } from './text-table'

export interface KernelTable<Item extends object> {
  /** Also the name of the command. */
  command: string
  /** `type` of a line in jsonl. */
  type: string
  read(helper: Helper, owners: ReadonlyMap<number, Owner>): Promise<Outcome<Item[]>>
  /** Items with the same key are the same thing at two times. */
  key(item: Item): string
  /** The interfaces that an item belongs to, for `--interface`. */
  interfaces(item: Item): (string | undefined)[]
  columns: readonly Column<Item>[]
}

const left = 'left'
const right = 'right'

export const interfaceTable: KernelTable<Link> = {
  command: 'interfaces',
  type: 'interface',
  read: (helper) => helper.interfaces(),
  key: ({ index }) => String(index),
  interfaces: ({ name }) => [name],
  columns: [
    { title: 'NAME', align: left, text: ({ name }) => name },
    { title: 'KIND', align: left, text: ({ kind }) => kind || '-' },
    { title: 'STATE', align: left, text: ({ operState }) => operState.toLowerCase() },
    { title: 'MTU', align: right, text: ({ mtu }) => String(mtu) },
    { title: 'LINK-LAYER ADDRESS', align: left, text: ({ linkLayerAddress }) => linkLayerAddress || '-' },
    { title: 'RX', align: right, text: ({ rxBytes }) => formatBytes(rxBytes) },
    { title: 'TX', align: right, text: ({ txBytes }) => formatBytes(txBytes) },
    { title: 'ERRORS', align: right, text: ({ rxErrors, txErrors }) => String(rxErrors + txErrors) },
    { title: 'DROPPED', align: right, text: ({ rxDropped, txDropped }) => String(rxDropped + txDropped) },
    {
      title: 'ADDRESSES',
      align: left,
      text: ({ addresses }) => addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(' '),
    },
  ],
}

/** A line's own `type` says what kind of line it is, so a route's is named in full. */
type RouteItem = Omit<Route, 'type'> & { routeType: string }

export const routeTable: KernelTable<RouteItem> = {
  command: 'routes',
  type: 'route',
  read: async (helper) => {
    const routes = await helper.routes()
    return routes.ok ? succeed(routes.value.map(({ type: routeType, ...route }) => ({ ...route, routeType }))) : routes
  },
  key: ({ family, destination, table, metric, gateway, interface: name, routeType }) =>
    [family, destination, table, metric, gateway, name, routeType].join(' '),
  interfaces: ({ interface: name, nextHops = [] }) => [name, ...nextHops.map((hop) => hop.interface)],
  columns: [
    { title: 'DESTINATION', align: left, text: ({ destination }) => destination },
    {
      title: 'GATEWAY',
      align: left,
      text: ({ gateway, nextHops }) => gateway ?? (nextHops?.map((hop) => hop.gateway).join(' ') || '-'),
    },
    {
      title: 'INTERFACE',
      align: left,
      text: ({ interface: name, nextHops }) => name ?? (nextHops?.map((hop) => hop.interface).join(' ') || '-'),
    },
    { title: 'SOURCE', align: left, text: ({ source }) => source ?? '-' },
    { title: 'METRIC', align: right, text: ({ metric }) => (metric === undefined ? '-' : String(metric)) },
    { title: 'TABLE', align: left, text: ({ table }) => table },
    { title: 'PROTOCOL', align: left, text: ({ protocol }) => protocol },
    { title: 'SCOPE', align: left, text: ({ scope }) => scope },
    { title: 'TYPE', align: left, text: ({ routeType }) => routeType },
  ],
}

export const neighborTable: KernelTable<Neighbor> = {
  command: 'neighbors',
  type: 'neighbor',
  read: (helper) => helper.neighbors(),
  key: ({ family, address, interface: name }) => `${family} ${address} ${name}`,
  interfaces: ({ interface: name }) => [name],
  columns: [
    { title: 'ADDRESS', align: left, text: ({ address }) => address },
    { title: 'LINK-LAYER ADDRESS', align: left, text: ({ linkLayerAddress }) => linkLayerAddress || '-' },
    { title: 'INTERFACE', align: left, text: ({ interface: name }) => name },
    { title: 'STATE', align: left, text: ({ nudState }) => nudState },
    { title: 'ROUTER', align: left, text: ({ router }) => (router ? 'router' : '') },
  ],
}

/** A socket with the process behind it. */
export interface SocketItem {
  protocol: string
  family: number
  localAddress: string
  localPort: number
  remoteAddress: string
  remotePort: number
  service: string
  state: string
  pid: number | null
  process: string | null
  exe: string
  user: string
  reason: string
  inode: number
  rxQueueBytes: number
  txQueueBytes: number
  rxBytes: number
  txBytes: number
}

export const socketTable: KernelTable<SocketItem> = {
  command: 'sockets',
  type: 'socket',
  read: async (helper, owners) => {
    const sockets = await helper.sockets()
    return sockets.ok ? succeed(sockets.value.map((socket) => socketItem(socket, owners.get(socket.ownerId)))) : sockets
  },
  key: ({ protocol, localAddress, localPort, remoteAddress, remotePort, inode }) =>
    [protocol, localAddress, localPort, remoteAddress, remotePort, inode].join(' '),
  interfaces: () => [],
  columns: [
    { title: 'PROTO', align: left, text: ({ protocol }) => protocol },
    { title: 'STATE', align: left, text: ({ state }) => state },
    { title: 'LOCAL', align: left, text: (item) => endpoint(item.localAddress, item.localPort) },
    { title: 'REMOTE', align: left, text: (item) => endpoint(item.remoteAddress, item.remotePort) },
    { title: 'PROCESS', align: left, text: ({ process }) => process ?? '-', maxWidth: 28 },
    { title: 'PID', align: right, text: ({ pid }) => (pid === null ? '-' : String(pid)) },
    { title: 'USER', align: left, text: ({ user }) => user, maxWidth: 16 },
    { title: 'SERVICE', align: left, text: ({ service }) => service },
  ],
}

function socketItem(socket: SocketRecord, owner: Owner | undefined): SocketItem {
  const { localAddress, localPort, remoteAddress, remotePort, uid } = socket
  const protocol = protocolLabel(socket)
  return {
    protocol,
    family: socket.family,
    localAddress,
    localPort,
    remoteAddress,
    remotePort,
    service: protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP' ? service(protocol, socket) : '',
    state: socket.state,
    pid: owner?.pid ?? null,
    process: owner?.name ?? null,
    exe: owner?.exe ?? '',
    user: uid < 0 ? '' : userName(uid) || String(uid),
    reason: socket.reason,
    inode: socket.inode,
    rxQueueBytes: socket.rxQueueBytes,
    txQueueBytes: socket.txQueueBytes,
    rxBytes: socket.rxBytes,
    txBytes: socket.txBytes,
  }
}

/** A listening socket's own port; of a connection the end that has a well-known one. */
function service(protocol: 'TCP' | 'UDP' | 'SCTP', { localPort, remotePort }: SocketRecord): string {
  const [first, second] = remotePort !== 0 && remotePort < localPort ? [remotePort, localPort] : [localPort, remotePort]
  return serviceName(protocol, first) || serviceName(protocol, second)
}

function protocolLabel({ family, protocol }: SocketRecord): string {
  if (family === 17) return 'packet'
  if (protocol === 255) return 'raw'
  return protocolName(protocol) || String(protocol)
}

/** Unbound ends are shown as `ss` does. */
function endpoint(address: string, port: number): string {
  const isAny = address === '' || address === '0.0.0.0' || address === '::'
  if (isAny && port === 0) return '*'
  return isAny ? `*:${port}` : formatEndpoint(address, port)
}
