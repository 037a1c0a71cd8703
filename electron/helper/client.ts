/**
 * Speaks native/PROTOCOL.md with one helper: handshake, tokens, time-outs, pages, and the order of everything else.
 */
import type * as v from 'valibot'
import { fail, succeed, type Failure, type Outcome } from '../shared/errors'
import type { HelperHello, HelperInterface, Link, Neighbor, Route, SocketRecord } from '../shared/helper-messages'
import { readFlowBatch } from './flow-batch'
import { encodeControl, FrameReader, frameTypes, type FrameType } from './frame-codec'
import type {
  CaptureOptions,
  Helper,
  HelperConnector,
  HelperEvents,
  OpenedTrace,
  ProbeOrder,
  TraceOpening,
} from './helper'
import { check, pageItems, readControl, results, type HelperAnswer, type HelperEvent } from './messages'
import { checkProgram, startProgram, type HelperProcess, type HelperProgram, type StartProcess } from './process-port'
import { readSocketBatch } from './socket-batch'

export const protocol = { major: 1, minor: 1 } as const

const handshakeMs = 5000
const requestMs = 15_000
/** From the end of its input to SIGKILL. */
const closeMs = 2000
const maxOpenRequests = 16
const maxToken = 2147483647
/**
 * Items of one long answer. The kernel's own tables end far below; a helper that never stops paging is cut off here
 * instead of filling the memory.
 */
const maxItems = 1_000_000

const goneFailure: Failure = {
  code: 'helperGone',
  message: 'The helper has ended.',
  fix: 'It is started again by itself.',
}

interface OpenRequest {
  name: string
  /** Pages and sockets so far; they are checked as they come, so only their kind differs. */
  items: unknown[]
  sockets: SocketRecord[]
  settle(outcome: Outcome<unknown>): void
  timer: NodeJS.Timeout
}

type Page = keyof typeof pageItems

class HelperClient implements Helper {
  readonly #process: HelperProcess
  readonly #reader: FrameReader
  readonly #open = new Map<number, OpenRequest>()
  #lastToken = 0
  #hello: HelperHello | null = null
  #shakeHands: ((outcome: Outcome<Helper>) => void) | null
  /** Settled when the process is gone. */
  readonly #gone: Promise<void>
  #markGone: () => void = () => undefined
  #isGone = false
  #isClosing = false
  /** Why this end gave the stream up, or the helper's own last words. */
  #failure: Failure | null = null
  /** A file was read to its end; going after that is what the helper should do. */
  #isFileDone = false
  #lastLogLine = ''

  constructor(
    start: StartProcess,
    private readonly events: HelperEvents,
    shakeHands: (outcome: Outcome<Helper>) => void,
  ) {
    this.#shakeHands = shakeHands
    this.#gone = new Promise((resolve) => {
      this.#markGone = resolve
    })
    this.#reader = new FrameReader((type, payload) => {
      this.#takeFrame(type, payload)
    })
    this.#process = start({
      data: (chunk) => {
        if (this.#failure !== null) return
        const failure = this.#reader.push(chunk)
        if (failure !== null) this.#giveUp(failure)
      },
      log: (line) => {
        this.#lastLogLine = line.slice(0, 500)
      },
      exited: (exit) => {
        this.#takeExit(exit)
      },
    })
    setTimeout(() => {
      if (this.#hello !== null || this.#isGone) return
      this.#giveUp({ code: 'helperTimeout', message: 'The helper was started but did not say hello.', fix: '' })
    }, handshakeMs).unref()
  }

  get hello(): HelperHello {
    if (this.#hello === null) throw new Error('A client is given out only after its helper said hello.')
    return this.#hello
  }

  async start(options: CaptureOptions): Promise<Outcome<HelperInterface[]>> {
    const { interfaces, loopback, promiscuous, captureFilter, tickMs } = options
    const members = { interfaces, loopback, promiscuous, captureFilter, tickMs }
    const reply = await this.#request('start', results.start, members)
    return reply.ok ? succeed(reply.value.interfaces) : reply
  }

  async configure(options: { tickMs: number }): Promise<Outcome<null>> {
    const reply = await this.#request('configure', results.empty, { tickMs: options.tickMs })
    return reply.ok ? succeed(null) : reply
  }

  async stop(): Promise<Outcome<null>> {
    const reply = await this.#request('stop', results.empty)
    return reply.ok ? succeed(null) : reply
  }

  async snapshot(): Promise<Outcome<number>> {
    const reply = await this.#request('snapshot', results.snapshot)
    return reply.ok ? succeed(reply.value.tick) : reply
  }

  async sockets(): Promise<Outcome<SocketRecord[]>> {
    const request = this.#send('sockets')
    const reply = await request.outcome
    return reply.ok ? succeed(request.sockets) : reply
  }

  interfaces(): Promise<Outcome<Link[]>> {
    return this.#pages('interfaces', pageItems.interfaces)
  }

  routes(): Promise<Outcome<Route[]>> {
    return this.#pages('routes', pageItems.routes)
  }

  neighbors(): Promise<Outcome<Neighbor[]>> {
    return this.#pages('neighbors', pageItems.neighbors)
  }

  traceOpen(opening: TraceOpening): Promise<Outcome<OpenedTrace>> {
    const { destination, protocol, source, interface: device, port, sourcePort, stepPort, packetBytes, tos } = opening
    const members = { destination, protocol, source, interface: device, port, sourcePort, stepPort, packetBytes, tos }
    return this.#request('traceOpen', results.traceOpen, members)
  }

  async traceProbes(traceId: number, { round, waitMs, probes }: ProbeOrder): Promise<Outcome<number>> {
    const members = { traceId, round, waitMs, probes: probes.map(({ ttl, flow }) => ({ ttl, flow })) }
    const reply = await this.#request('traceProbes', results.traceProbes, members)
    return reply.ok ? succeed(reply.value.queued) : reply
  }

  async traceClose(traceId: number): Promise<Outcome<null>> {
    const reply = await this.#request('traceClose', results.empty, { traceId })
    return reply.ok ? succeed(null) : reply
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#process.closeInput()
    const timer = setTimeout(() => {
      this.#process.kill()
    }, closeMs)
    await this.#gone
    clearTimeout(timer)
  }

  async #request<T>(name: string, result: v.GenericSchema<unknown, T>, members: object = {}): Promise<Outcome<T>> {
    const reply = await this.#send(name, members).outcome
    return reply.ok ? check(result, reply.value, `reply to ${name}`) : reply
  }

  async #pages<T>(name: Page, schema: v.GenericSchema<unknown, T[]>): Promise<Outcome<T[]>> {
    const request = this.#send(name)
    const reply = await request.outcome
    return reply.ok ? check(schema, request.items, `list of ${name}`) : reply
  }

  /** Sends a request; `items` and `sockets` fill until `outcome` settles. */
  #send(
    name: string,
    members: object = {},
  ): { outcome: Promise<Outcome<unknown>>; items: unknown[]; sockets: SocketRecord[] } {
    const items: unknown[] = []
    const sockets: SocketRecord[] = []
    if (this.#isGone || this.#isClosing || this.#failure !== null) {
      return { outcome: Promise.resolve({ ok: false, failure: this.#failure ?? goneFailure }), items, sockets }
    }
    if (this.#open.size >= maxOpenRequests) {
      const outcome = fail(
        'tooManyRequests',
        'Too many questions to the helper are still open.',
        'Try again in a moment.',
      )
      return { outcome: Promise.resolve(outcome), items, sockets }
    }
    const token = this.#nextToken()
    const outcome = new Promise<Outcome<unknown>>((resolve) => {
      const timer = setTimeout(() => {
        // The token stays taken inside the helper, and what else it no longer answers is unknown: begin anew.
        this.#giveUp({ code: 'helperTimeout', message: `The helper did not answer "${name}".`, fix: '' })
      }, requestMs)
      this.#open.set(token, { name, items, sockets, settle: resolve, timer })
    })
    this.#process.write(encodeControl({ type: name, token, ...members }))
    return { outcome, items, sockets }
  }

  #nextToken(): number {
    do this.#lastToken = this.#lastToken === maxToken ? 1 : this.#lastToken + 1
    while (this.#open.has(this.#lastToken))
    return this.#lastToken
  }

  #takeFrame(type: FrameType, payload: Uint8Array): void {
    if (this.#failure !== null) return
    if (this.#hello === null && type !== frameTypes.control) {
      this.#giveUp({ code: 'badSequence', message: 'The helper sent data before its hello.', fix: '' })
      return
    }
    if (type === frameTypes.flows) {
      const batch = readFlowBatch(payload)
      if (batch.ok) this.events.message(batch.value)
      else this.#giveUp(batch.failure)
    } else if (type === frameTypes.sockets) {
      const batch = readSocketBatch(payload)
      if (batch.ok) this.#takeItems(batch.value.token, batch.value.sockets, 'sockets')
      else this.#giveUp(batch.failure)
    } else {
      const control = readControl(payload)
      if (!control.ok) this.#giveUp(control.failure)
      else if (control.value?.kind === 'event') this.#takeEvent(control.value.event)
      else if (control.value?.kind === 'answer') this.#takeAnswer(control.value.answer)
    }
  }

  #takeEvent(event: HelperEvent): void {
    if (event.type === 'error') {
      this.#failure = { code: event.code, message: event.message, fix: event.fix }
      this.#process.closeInput()
    } else if (event.type === 'hello') {
      this.#takeHello(event)
    } else if (this.#hello === null) {
      this.#giveUp({ code: 'badSequence', message: 'The helper spoke before its hello.', fix: '' })
    } else {
      if (event.type === 'end') this.#isFileDone = true
      this.events.message(event)
    }
  }

  #takeHello(hello: HelperHello): void {
    if (this.#hello !== null) {
      this.#giveUp({ code: 'badSequence', message: 'The helper said hello twice.', fix: '' })
      return
    }
    if (hello.protocol.major !== protocol.major) {
      this.#giveUp({
        code: 'protocolMismatch',
        message: `The helper (${hello.helperVersion}) speaks protocol ${hello.protocol.major}, this version ${protocol.major}.`,
        fix: 'Install or build the helper that belongs to this version.',
      })
      return
    }
    this.#hello = hello
    this.#process.write(encodeControl({ type: 'helloAck', protocol }))
    this.#shakeHands?.(succeed(this))
    this.#shakeHands = null
    this.events.message(hello)
  }

  #takeAnswer(answer: HelperAnswer): void {
    if (answer.type === 'page') {
      this.#takeItems(answer.token, answer.items, 'items')
      return
    }
    const request = this.#open.get(answer.token)
    if (request === undefined) {
      this.#giveUp({ code: 'badSequence', message: 'The helper answered a question that nobody asked.', fix: '' })
      return
    }
    this.#open.delete(answer.token)
    clearTimeout(request.timer)
    if (request.name === 'start' && answer.type === 'reply') this.#announceInterfaces(answer.result)
    request.settle(answer.type === 'reply' ? succeed(answer.result) : fail(answer.code, answer.message, answer.fix))
  }

  /** Flows name interfaces from the first tick on, which may be read in the same go as this reply. */
  #announceInterfaces(result: unknown): void {
    const started = check(results.start, result, 'reply to start')
    if (!started.ok) return
    for (const info of started.value.interfaces) this.events.message({ type: 'interface', ...info })
  }

  #takeItems(token: number, items: unknown[] | SocketRecord[], kind: 'items' | 'sockets'): void {
    const request = this.#open.get(token)
    if (request === undefined) {
      this.#giveUp({ code: 'badSequence', message: 'The helper answered a question that nobody asked.', fix: '' })
      return
    }
    const list: unknown[] = request[kind]
    for (const item of items) list.push(item)
    if (list.length > maxItems) {
      this.#giveUp({ code: 'answerTooLong', message: `The helper's list of ${request.name} has no end.`, fix: '' })
    }
  }

  /** The stream cannot be trusted any more: nothing of it is read, and the helper is ended hard. */
  #giveUp(failure: Failure): void {
    this.#failure ??= failure
    this.#process.kill()
  }

  #takeExit(exit: { code: number | null; signal: string | null; failure: Failure | null }): void {
    this.#isGone = true
    const failure =
      exit.failure ?? this.#failure ?? (this.#isClosing || this.#isFileDone ? null : this.#unexpectedExit(exit))
    for (const request of this.#open.values()) {
      clearTimeout(request.timer)
      request.settle({ ok: false, failure: failure ?? goneFailure })
    }
    this.#open.clear()
    this.#markGone()
    if (this.#shakeHands !== null) {
      this.#shakeHands({ ok: false, failure: failure ?? goneFailure })
      this.#shakeHands = null
    } else {
      this.events.ended(failure)
    }
  }

  #unexpectedExit(exit: { code: number | null; signal: string | null }): Failure {
    const how = exit.signal === null ? `with status ${exit.code}` : `by ${exit.signal}`
    const said = this.#lastLogLine === '' ? '' : ` Its last words: ${this.#lastLogLine}`
    return { code: 'helperDied', message: `The helper ended ${how}.${said}`, fix: '' }
  }
}

/** Shakes hands with a process that speaks the protocol. */
export function connectProcess(start: StartProcess): HelperConnector {
  return (events) =>
    new Promise((resolve) => {
      new HelperClient(start, events, resolve)
    })
}

/** Checks, starts and greets the helper program. */
export function connectProgram(program: HelperProgram): HelperConnector {
  return async (events) => {
    const checked = await checkProgram(program.path)
    if (!checked.ok) return checked
    return connectProcess(startProgram(program))(events)
  }
}
