/**
 * The demo's flows: how many bytes each moves in a tick, when it ends, and what takes its place. The same seed gives the same
 * story.
 */
import type { FlowRecord } from '../shared/helper-messages'
import type { Reason } from '../shared/words'
import { uidOf, type Habit, type Orphan, type Resident, type Rhythm } from './scripted-household'

/** A repeatable source of numbers from 0 to 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** Bytes of headers on an Ethernet frame that carries a full segment, and of a bare acknowledgement. */
const fullFrameBytes = 1514
const smallFrameBytes = 66
/** How long an owner is looked up. */
const pendingS = 0.4

export interface Source {
  habit: Habit
  interfaceId: number
  ownerId: number
  uid: number
  /** Why it has no owner. */
  reason: Reason
  etherType: number
}

export function residentSource(resident: Resident, habit: Habit, ownerId: number, interfaceId: number): Source {
  const etherType = habit.ipv6 === true ? 0x86dd : 0x0800
  return { habit, interfaceId, ownerId, uid: uidOf(resident.user), reason: 'none', etherType }
}

export function orphanSource(orphan: Orphan): Source {
  const etherType = orphan.etherType ?? (orphan.ipv6 === true ? 0x86dd : 0x0800)
  return { habit: orphan, interfaceId: 1, ownerId: 0, uid: -1, reason: orphan.reason, etherType }
}

/** One place for a flow: when its flow ends, another begins. */
export class ScriptedFlow {
  record: FlowRecord
  #openedS = 0
  #endsS = Infinity
  /** Shifts the rhythm, so that flows of one kind do not all move at once. */
  #phaseS = 0
  #rxRest = 0
  #txRest = 0

  constructor(
    readonly source: Source,
    private readonly random: () => number,
    flowId: number,
    nowMs: number,
    elapsedS: number,
  ) {
    this.record = this.#open(flowId, nowMs, elapsedS)
  }

  /** Lets the flow move what it moves in `seconds`; false when nothing about it changed. */
  step(seconds: number, nowMs: number, elapsedS: number): boolean {
    const { record, source } = this
    const { habit } = source
    const busy = activity(habit.rhythm, elapsedS + this.#phaseS, this.random)
    const rxBytes = this.#whole('rx', habit.rxRate * busy * seconds)
    const txBytes = this.#whole('tx', habit.txRate * busy * seconds)
    let isChanged = rxBytes > 0 || txBytes > 0
    if (isChanged) {
      record.rxBytes += rxBytes
      record.txBytes += txBytes
      record.rxPackets += packets(rxBytes)
      record.txPackets += packets(txBytes)
      record.payloadBytes += Math.max(0, rxBytes + txBytes - smallFrameBytes)
      record.lastSeenUs = nowMs * 1000
      if (habit.protocol === 'tcp' && this.random() < 0.004) record.retransmits += 1
    }
    if (record.reason === 'pending' && elapsedS - this.#openedS > pendingS) {
      record.ownerId = source.ownerId
      record.reason = source.reason
      record.attribution = source.ownerId === 0 ? 'none' : habit.protocol === 'udp' ? 'relaxed' : 'exact'
      isChanged = true
    }
    if (record.state === 'synSent' && source.reason !== 'noSocket') {
      record.state = 'established'
      record.handshakeRttUs = Math.round(4000 + this.random() * 60_000)
      isChanged = true
    }
    if (elapsedS >= this.#endsS) {
      record.ended = true
      record.endReason = habit.protocol !== 'tcp' ? 'idle' : source.reason === 'noSocket' ? 'rst' : 'fin'
      if (habit.protocol === 'tcp') record.state = source.reason === 'noSocket' ? 'reset' : 'timeWait'
      isChanged = true
    }
    return isChanged
  }

  /** Puts a new flow in the place of the one that ended. */
  renew(flowId: number, nowMs: number, elapsedS: number): void {
    this.record = this.#open(flowId, nowMs, elapsedS)
  }

  #open(flowId: number, nowMs: number, elapsedS: number): FlowRecord {
    const { random, source } = this
    const { habit } = source
    this.#openedS = elapsedS
    this.#phaseS = random() * 120
    this.#endsS = habit.lifetimeS === undefined ? Infinity : elapsedS + habit.lifetimeS * (0.3 + 1.4 * random())
    // It begins with a frame each way, whatever its rhythm.
    this.#rxRest = habit.rxRate > 0 ? smallFrameBytes : 0
    this.#txRest = habit.txRate > 0 ? smallFrameBytes : 0
    const isIp = source.etherType === 0x0800 || source.etherType === 0x86dd
    const ephemeral = habit.port === 0 ? 0 : 32768 + Math.floor(random() * 28_000)
    const local = localAddress(source)
    return {
      flowId,
      firstSeenUs: nowMs * 1000,
      lastSeenUs: nowMs * 1000,
      rxBytes: 0,
      txBytes: 0,
      rxPackets: 0,
      txPackets: 0,
      inode: source.ownerId === 0 ? 0 : 100_000 + flowId,
      localAddress: isIp ? local : '',
      remoteAddress: isIp ? remoteAddress(source, local, random) : '',
      localPort: habit.served === true ? habit.port : ephemeral,
      remotePort: habit.served === true ? ephemeral : habit.port,
      interfaceId: source.interfaceId,
      ownerId: 0,
      uid: source.uid,
      handshakeRttUs: 0,
      etherType: source.etherType,
      vlanId: 0,
      family: !isIp ? 0 : habit.ipv6 === true ? 6 : 4,
      protocol: !isIp ? 255 : { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 }[habit.protocol],
      state: isIp && habit.protocol === 'tcp' ? 'synSent' : 'none',
      attribution: 'none',
      reason: source.ownerId === 0 ? source.reason : 'pending',
      ended: false,
      initiator: habit.served === true ? 'remote' : 'local',
      synthetic: false,
      endReason: 'alive',
      rxTcpFlags: habit.protocol === 'tcp' ? 0x1a : 0,
      txTcpFlags: habit.protocol === 'tcp' ? 0x1a : 0,
      retransmits: 0,
      payloadBytes: 0,
    }
  }

  /** Whole bytes to report; fractions wait for the next tick, so that slow flows are not rounded to nothing. */
  #whole(direction: 'rx' | 'tx', bytes: number): number {
    const due = bytes + (direction === 'rx' ? this.#rxRest : this.#txRest)
    // Less than the smallest frame cannot be sent.
    const sent = due < smallFrameBytes ? 0 : Math.floor(due)
    if (direction === 'rx') this.#rxRest = due - sent
    else this.#txRest = due - sent
    return sent
  }
}

function packets(bytes: number): number {
  return Math.ceil(bytes / fullFrameBytes)
}

/** The part of its full rate that a flow of this rhythm moves now. */
function activity(rhythm: Rhythm, timeS: number, random: () => number): number {
  switch (rhythm) {
    case 'steady':
      return 0.85 + 0.3 * random()
    case 'stream':
      return timeS % 8 < 2.5 ? 2.4 + random() : 0.02
    case 'page':
      return timeS % 60 < 3 ? 0.5 + random() : random() < 0.03 ? 0.15 : 0
    case 'chatter':
      return random() < 0.4 ? 2 * random() : 0
    case 'keepalive':
      return timeS % 15 < 1 ? 1 : 0
    case 'spike':
      return timeS % 75 < 12 ? Math.sin((Math.PI * (timeS % 75)) / 12) * (0.9 + 0.2 * random()) : 0
  }
}

function localAddress(source: Source): string {
  if (source.reason === 'forwarded' || source.reason === 'otherNamespace') return '192.0.2.130'
  const isV6 = source.habit.ipv6 === true
  if (source.interfaceId === 3) return isV6 ? '::1' : '127.0.0.1'
  if (source.interfaceId === 2) return '203.0.113.194'
  return isV6 ? '2001:db8:40::23' : '192.0.2.23'
}

function remoteAddress(source: Source, local: string, random: () => number): string {
  const { habit, reason, interfaceId } = source
  if (interfaceId === 3) return local
  if (reason === 'notLocal') return '239.255.255.250'
  if (habit.port === 5353) return habit.ipv6 === true ? 'ff02::fb' : '224.0.0.251'
  if (habit.ipv6 === true) {
    return `2001:db8:${hex(random, 0x7fff)}::${hex(random, 0xfffe)}`
  }
  if (interfaceId === 2) return `203.0.113.${193 + Math.floor(random() * 60)}`
  return `${random() < 0.6 ? '198.51.100' : '203.0.113'}.${1 + Math.floor(random() * 190)}`
}

function hex(random: () => number, below: number): string {
  return (1 + Math.floor(random() * below)).toString(16)
}
