/**
 * The numbers of native/PROTOCOL.md as words. The order of each list is the wire value: append, never reorder.
 */

/** TCP states, RFC 9293 words seen from the local side; `none` for everything that is not TCP. */
export const flowStates = [
  'none',
  'synSent',
  'synReceived',
  'established',
  'finWait1',
  'finWait2',
  'closeWait',
  'closing',
  'lastAck',
  'timeWait',
  'closed',
  'reset',
] as const
export type FlowState = (typeof flowStates)[number]

/** How surely a flow's owner is known. */
export const attributions = ['none', 'relaxed', 'exact'] as const
export type Attribution = (typeof attributions)[number]

/** Why bytes have no owner. `none` means that they have one. */
export const reasons = [
  'none',
  'pending',
  'socketGone',
  'forwarded',
  'notLocal',
  'kernel',
  'otherNamespace',
  'permission',
  'malformed',
  'truncated',
  'tableFull',
  'noSocket',
  'recorded',
  'overloaded',
  'fragment',
  'linkType',
] as const
export type Reason = (typeof reasons)[number]

/** How a flow ended; `alive` while it has not. */
export const endReasons = [
  'alive',
  'fin',
  'rst',
  'idle',
  'evicted',
  'interfaceGone',
  'captureStopped',
  'ownerChanged',
  'endOfFile',
  'active',
] as const
export type EndReason = (typeof endReasons)[number]

/** What a user reads about a reason: one sentence, and where there is one, the way to mend it. */
export interface ReasonText {
  label: string
  sentence: string
  fix?: string
}

export const reasonTexts: Record<Reason, ReasonText> = {
  none: { label: 'Attributed', sentence: 'The owner of these bytes is known.' },
  pending: {
    label: 'Look-up under way',
    sentence: 'The owner is being looked up; the bytes move to it when it is found.',
  },
  socketGone: {
    label: 'Socket gone before look-up',
    sentence: 'The socket was closed before its owner could be read.',
  },
  forwarded: { label: 'Forwarded', sentence: 'Routed or bridged for others: neither end is this machine.' },
  notLocal: {
    label: 'Not for this machine',
    sentence: 'Seen on the link, but addressed to another machine or to a group.',
  },
  kernel: {
    label: 'Kernel',
    sentence:
      'Sent or answered by the kernel itself (ARP, neighbour discovery, ICMP replies, resets); no process owns it.',
  },
  otherNamespace: {
    label: 'Other network namespace',
    sentence: 'The socket lives in another network namespace, such as a container’s.',
  },
  permission: {
    label: 'Permission needed',
    sentence: 'The socket belongs to another user’s process, which may not be looked at without privilege.',
    fix: 'Grant the helper cap_sys_ptrace and cap_dac_read_search.',
  },
  malformed: { label: 'Malformed', sentence: 'The headers contradict themselves and cannot be read.' },
  truncated: { label: 'Truncated', sentence: 'The frame was cut off before the end of its headers.' },
  tableFull: {
    label: 'Flow table full',
    sentence: 'More flows at once than the table holds; these bytes are counted together.',
  },
  noSocket: {
    label: 'No socket',
    sentence: 'Nothing on this machine listens there (a probe, a late packet, a refused connection).',
  },
  recorded: { label: 'Recorded', sentence: 'Read from a file, which does not say which process it was.' },
  overloaded: {
    label: 'Look-ups behind',
    sentence: 'More new flows than can be looked up at once; tried again later.',
  },
  fragment: { label: 'Fragment', sentence: 'A later fragment whose first fragment, with the ports, was not seen.' },
  linkType: {
    label: 'Unknown link type',
    sentence: 'This interface’s link type is not understood; its bytes are counted only.',
  },
}
