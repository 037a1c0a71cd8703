/**
 * A helper as the rest of the application knows it: the real one over pipes (client.ts) and the scripted one of the demo
 * (scripted-helper.ts) are both this, so that nobody above needs to know which.
 */
import type { Outcome } from '../shared/errors'
import type { Failure } from '../shared/errors'
import type {
  HelperHello,
  HelperInterface,
  HelperMessage,
  Link,
  Neighbor,
  Route,
  SocketRecord,
} from '../shared/helper-messages'
import type { ProbeRequest, TraceProtocol } from '../shared/trace'

/** What `start` takes, see native/PROTOCOL.md. */
export interface CaptureOptions {
  /** Null: all that are up and have an address, loopback excepted. */
  interfaces: string[] | null
  /** Adds loopback to null. */
  loopback: boolean
  promiscuous: boolean
  /** BPF text, `''` for none. */
  captureFilter: string
  /** 100 to 60000. */
  tickMs: number
}

export const defaultCaptureOptions: CaptureOptions = {
  interfaces: null,
  loopback: false,
  promiscuous: false,
  captureFilter: '',
  tickMs: 1000,
}

/** What `traceOpen` takes, see native/PROTOCOL.md. */
export interface TraceOpening {
  /** An address, no name. */
  destination: string
  protocol: TraceProtocol
  /** `''`: the kernel's choice. */
  source: string
  /** `''`: the kernel's choice. */
  interface: string
  port: number
  sourcePort: number
  stepPort: boolean
  packetBytes: number
  tos: number
}

export interface OpenedTrace {
  /** Given by the helper, unique in a run. */
  traceId: number
  source: string
  sourcePort: number
  method: 'raw' | 'errorQueue' | 'pingSocket'
  /** What this method cannot see, each a sentence. */
  limits: string[]
}

/** Probes of one round to be sent. */
export interface ProbeOrder {
  round: number
  waitMs: number
  probes: ProbeRequest[]
}

/** Probes that one `traceProbes` takes. */
export const maxProbesPerOrder = 256

/** One running helper. Every request fails with `helperGone` once it has ended. */
export interface Helper {
  readonly hello: HelperHello
  /**
   * Begins capture; from then on ticks come. The interfaces in the answer are told as messages too, before the first tick.
   * Errors: as PROTOCOL.md says, `needsNetRaw` without the capability.
   */
  start(options: CaptureOptions): Promise<Outcome<HelperInterface[]>>
  configure(options: { tickMs: number }): Promise<Outcome<null>>
  /** Ends capture. The last tick, with every flow's last totals, comes before the answer. */
  stop(): Promise<Outcome<null>>
  /** Asks for every live flow, changed or not; gives the number of the tick that will carry them. */
  snapshot(): Promise<Outcome<number>>
  sockets(): Promise<Outcome<SocketRecord[]>>
  interfaces(): Promise<Outcome<Link[]>>
  routes(): Promise<Outcome<Route[]>>
  neighbors(): Promise<Outcome<Neighbor[]>>
  /** Errors: `refusedDestination` for groups and broadcast, `tooManyTraces`, and what the kernel says of source and interface. */
  traceOpen(opening: TraceOpening): Promise<Outcome<OpenedTrace>>
  /** Every probe of the order gives exactly one closing item in a `probes` message. Takes at most `maxProbesPerOrder`. */
  traceProbes(traceId: number, order: ProbeOrder): Promise<Outcome<number>>
  /** Forgets the trace; its open probes give no items any more. */
  traceClose(traceId: number): Promise<Outcome<null>>
  /** Ends the helper and waits until it is gone; it is killed when it does not go by itself. `ended` is still called. */
  close(): Promise<void>
}

export interface HelperEvents {
  /** Everything that carries no token, in order; the hello is the first. */
  message(message: HelperMessage): void
  /** Called once, and nothing after it. Null: it was closed, or its input came to an end. */
  ended(failure: Failure | null): void
}

/** Starts a helper and shakes hands. When this fails `ended` is not called. */
export type HelperConnector = (events: HelperEvents) => Promise<Outcome<Helper>>
