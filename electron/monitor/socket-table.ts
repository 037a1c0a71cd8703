/**
 * The reduced mode's flows: without capture, the kernel's list of sockets says who is connected to whom, and for TCP how many
 * payload bytes each socket has moved.
 */
import type { FlowRecord, SocketRecord } from '../shared/helper-messages'
import type { FlowState } from '../shared/words'
import { Flow } from './flow'
import { keepEndedDefault } from './flow-table'
import { ProcessAccount, type Ledger } from './ledger'

/** Sockets taken up from one list; what is beyond would not be looked at one by one anyway. */
const maxSockets = 100_000

const states: Record<string, FlowState> = {
  ESTAB: 'established',
  'SYN-SENT': 'synSent',
  'SYN-RECV': 'synReceived',
  'FIN-WAIT-1': 'finWait1',
  'FIN-WAIT-2': 'finWait2',
  'TIME-WAIT': 'timeWait',
  'CLOSE-WAIT': 'closeWait',
  'LAST-ACK': 'lastAck',
  CLOSING: 'closing',
}

const tcp = 6

export class SocketTable {
  #live = new Map<string, Flow>()
  #ended: Flow[] = []
  #lastId = 0

  constructor(private readonly ledger: Ledger) {}

  get liveCount(): number {
    return this.#live.size
  }

  forEach(visit: (flow: Flow) => void): void {
    for (const flow of this.#live.values()) visit(flow)
    for (const flow of this.#ended) visit(flow)
  }

  /** Takes a whole list: what is not in it any more has ended. */
  apply(sockets: readonly SocketRecord[], nowMs: number): void {
    const before = this.#live
    this.#live = new Map()
    for (const socket of sockets) {
      if (this.#live.size >= maxSockets) break
      if (!isConversation(socket)) continue
      const key = keyOf(socket)
      const known = before.get(key)
      before.delete(key)
      this.#live.set(key, known === undefined ? this.#open(socket, nowMs) : this.#renew(known, socket, nowMs))
    }
    for (const flow of before.values()) {
      flow.ended = true
      flow.endReason = 'fin'
      flow.endedMs = nowMs
      flow.account.countFlow(-1)
      this.#ended.push(flow)
    }
    this.#ended = this.#ended
      .filter((flow) => nowMs - flow.endedMs < keepEndedDefault.forMs)
      .slice(-keepEndedDefault.atMost)
  }

  #open(socket: SocketRecord, nowMs: number): Flow {
    const account = this.ledger.account(socket.ownerId, socket.reason)
    const process = account instanceof ProcessAccount ? account.process : null
    this.#lastId += 1
    const flow = new Flow(this.#lastId, recordOf(socket, nowMs), account, process, null)
    account.countFlow(1)
    // Bytes from before the first look are totals, but no rate.
    account.charge(socket.rxBytes, socket.txBytes, 0, 0, nowMs)
    flow.rxBytes = socket.rxBytes
    flow.txBytes = socket.txBytes
    return flow
  }

  #renew(flow: Flow, socket: SocketRecord, nowMs: number): Flow {
    const account = this.ledger.account(socket.ownerId, socket.reason)
    if (account !== flow.account) {
      const charged = { ...flow, rxPackets: 0, txPackets: 0 }
      flow.account.merge(charged, 1, -1)
      account.merge(charged, 1, 1)
      flow.account = account
      flow.process = account instanceof ProcessAccount ? account.process : null
      flow.searchText = null
    }
    flow.ownerId = socket.ownerId
    flow.reason = socket.reason
    flow.attribution = socket.ownerId === 0 ? 'none' : 'exact'
    const state = states[socket.state] ?? 'none'
    if (state !== flow.state) {
      flow.state = state
      flow.searchText = null
    }
    const rxBytes = Math.max(0, socket.rxBytes - flow.rxBytes)
    const txBytes = Math.max(0, socket.txBytes - flow.txBytes)
    if (rxBytes > 0 || txBytes > 0) {
      flow.rxBytes += rxBytes
      flow.txBytes += txBytes
      flow.lastSeenUs = nowMs * 1000
      account.charge(rxBytes, txBytes, 0, 0, nowMs)
      this.ledger.window.charge(flow, rxBytes, txBytes)
    }
    return flow
  }
}

/** Listening sockets and packet sockets talk to nobody in particular. */
function isConversation(socket: SocketRecord): boolean {
  if (socket.family !== 4 && socket.family !== 6) return false
  if (socket.state === 'LISTEN') return false
  return socket.protocol !== tcp || socket.state !== 'UNCONN'
}

/** The inode tells sockets apart that share an address; closing ones have none left. */
function keyOf(socket: SocketRecord): string {
  const { protocol, localAddress, localPort, remoteAddress, remotePort, inode } = socket
  return `${protocol} ${localAddress} ${localPort} ${remoteAddress} ${remotePort} ${protocol === tcp ? 0 : inode}`
}

function recordOf(socket: SocketRecord, nowMs: number): FlowRecord {
  return {
    flowId: 0,
    firstSeenUs: nowMs * 1000,
    lastSeenUs: nowMs * 1000,
    rxBytes: 0,
    txBytes: 0,
    rxPackets: 0,
    txPackets: 0,
    inode: socket.inode,
    localAddress: socket.localAddress,
    // An unconnected socket talks to anybody, which is no address.
    remoteAddress: socket.remotePort === 0 && isUnspecified(socket.remoteAddress) ? '' : socket.remoteAddress,
    localPort: socket.localPort,
    remotePort: socket.remotePort,
    interfaceId: 0,
    ownerId: socket.ownerId,
    uid: socket.uid,
    handshakeRttUs: 0,
    etherType: socket.family === 6 ? 0x86dd : 0x0800,
    vlanId: 0,
    family: socket.family === 6 ? 6 : 4,
    protocol: socket.protocol,
    state: states[socket.state] ?? 'none',
    attribution: socket.ownerId === 0 ? 'none' : 'exact',
    reason: socket.reason,
    ended: false,
    initiator: 'unknown',
    synthetic: false,
    endReason: 'alive',
    rxTcpFlags: 0,
    txTcpFlags: 0,
    retransmits: 0,
    payloadBytes: socket.rxBytes + socket.txBytes,
  }
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
