import { describe, expect, it } from 'vitest'
import { connectProcess } from '../../../electron/helper/client'
import { encodeControl, FrameReader, frameTypes, headerBytes } from '../../../electron/helper/frame-codec'
import { defaultCaptureOptions, type Helper } from '../../../electron/helper/helper'
import type { ProcessListener } from '../../../electron/helper/process-port'
import type { Failure } from '../../../electron/shared/errors'
import type { HelperMessage } from '../../../electron/shared/helper-messages'

const hello = {
  type: 'hello',
  protocol: { major: 1, minor: 0 },
  helperVersion: '0.1.0',
  features: ['capture'],
  mode: 'live',
  privileges: { netRaw: true, sysPtrace: true, dacReadSearch: true },
  limits: { maxFlows: 1, maxFrameBytes: 1, maxControlBytes: 1, maxInterfaces: 1, maxOwners: 1 },
  bootId: 'b',
  pid: 4711,
}

const eth0 = {
  id: 1,
  index: 2,
  name: 'eth0',
  linkType: 'ethernet',
  state: 'capturing',
  loopback: false,
  linkLayerAddress: '02:00:5e:10:00:01',
  mtu: 1500,
  addresses: [],
}

/** The far end of the pipes, spoken by the test. */
class FakeProcess {
  readonly received: Record<string, unknown>[] = []
  readonly messages: HelperMessage[] = []
  readonly ends: (Failure | null)[] = []
  isKilled = false
  isInputClosed = false
  #listener: ProcessListener | null = null

  connect() {
    const reader = new FrameReader((_type, payload) => {
      this.received.push(JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>)
    })
    return connectProcess((listener) => {
      this.#listener = listener
      return {
        write: (bytes) => {
          reader.push(bytes)
        },
        closeInput: () => {
          this.isInputClosed = true
        },
        kill: () => {
          this.isKilled = true
          this.exit(null, 'SIGKILL')
        },
      }
    })({
      message: (message) => this.messages.push(message),
      ended: (failure) => this.ends.push(failure),
    })
  }

  say(...messages: object[]): void {
    this.bytes(Buffer.concat(messages.map((message) => encodeControl(message))))
  }

  batch(type: number, payload: Uint8Array): void {
    const header = Buffer.alloc(headerBytes)
    header.writeUInt32LE(payload.length, 0)
    header.writeUInt8(type, 4)
    this.bytes(Buffer.concat([header, payload]))
  }

  bytes(bytes: Uint8Array): void {
    this.#listener?.data(bytes)
  }

  log(line: string): void {
    this.#listener?.log(line)
  }

  exit(code: number | null, signal: string | null = null): void {
    const listener = this.#listener
    this.#listener = null
    listener?.exited({ code, signal, failure: null })
  }
}

async function greeted(): Promise<{ far: FakeProcess; helper: Helper }> {
  const far = new FakeProcess()
  const connecting = far.connect()
  far.say(hello)
  const connected = await connecting
  if (!connected.ok) throw new Error(connected.failure.message)
  return { far, helper: connected.value }
}

const tokenOf = (far: FakeProcess) => far.received.at(-1)?.['token'] as number

describe('handshake', () => {
  it('answers hello with helloAck and nothing before it', async () => {
    const { far, helper } = await greeted()
    expect(far.received).toEqual([{ type: 'helloAck', protocol: { major: 1, minor: 1 } }])
    expect(helper.hello.pid).toBe(4711)
    expect(far.messages).toEqual([hello])
  })

  it('refuses another major version', async () => {
    const far = new FakeProcess()
    const connecting = far.connect()
    far.say({ ...hello, protocol: { major: 2, minor: 0 } })
    expect(await connecting).toMatchObject({ ok: false, failure: { code: 'protocolMismatch' } })
    expect(far.isKilled).toBe(true)
    expect(far.received).toEqual([])
    expect(far.ends).toEqual([])
  })

  it('takes a later minor version', async () => {
    const far = new FakeProcess()
    const connecting = far.connect()
    far.say({ ...hello, protocol: { major: 1, minor: 9 } })
    expect((await connecting).ok).toBe(true)
  })

  it.each([
    ['an event', encodeControl({ type: 'degraded', reasons: [] })],
    ['a batch', Buffer.from([16, 0, 0, 0, 2, 0, 0, 0, ...new Array<number>(16).fill(0)])],
  ])('refuses %s before hello', async (_what, bytes) => {
    const far = new FakeProcess()
    const connecting = far.connect()
    far.bytes(bytes)
    expect(await connecting).toMatchObject({ ok: false, failure: { code: 'badSequence' } })
  })

  it('says how a helper ended that never said hello', async () => {
    const far = new FakeProcess()
    const connecting = far.connect()
    far.log('cannot open /dev/null')
    far.exit(4)
    const connected = await connecting
    expect(connected).toMatchObject({ ok: false, failure: { code: 'helperDied' } })
    if (!connected.ok) expect(connected.failure.message).toMatch(/status 4.*cannot open/)
  })
})

describe('requests', () => {
  it('settle with the reply that carries their token, whatever the order', async () => {
    const { far, helper } = await greeted()
    const first = helper.snapshot()
    const firstToken = tokenOf(far)
    const second = helper.snapshot()
    const secondToken = tokenOf(far)
    expect(secondToken).not.toBe(firstToken)
    far.say({ type: 'reply', token: secondToken, request: 'snapshot', result: { tick: 2 } })
    far.say({ type: 'reply', token: firstToken, request: 'snapshot', result: { tick: 1 } })
    expect(await first).toEqual({ ok: true, value: 1 })
    expect(await second).toEqual({ ok: true, value: 2 })
  })

  it('tells of interfaces before the ticks that came with the reply to start', async () => {
    const { far, helper } = await greeted()
    const starting = helper.start(defaultCaptureOptions)
    const request = far.received.at(-1)
    expect(request).toEqual({ type: 'start', token: request?.['token'], ...defaultCaptureOptions })
    const tick = { type: 'tick', tick: 1, timeMs: 5, interfaces: [], lookup: { pending: 0, overloaded: 0 } }
    far.say({ type: 'reply', token: tokenOf(far), request: 'start', result: { interfaces: [eth0] } }, tick)
    expect(await starting).toEqual({ ok: true, value: [eth0] })
    expect(far.messages.slice(1)).toEqual([{ ...eth0, type: 'interface' }, tick])
  })

  it('pass on the helper’s own errors', async () => {
    const { far, helper } = await greeted()
    const starting = helper.start(defaultCaptureOptions)
    const failure = { code: 'needsNetRaw', message: 'No.', fix: 'Grant it.' }
    far.say({ type: 'error', token: tokenOf(far), ...failure })
    expect(await starting).toEqual({ ok: false, failure })
    expect(far.isKilled).toBe(false)
  })

  it('gather pages', async () => {
    const { far, helper } = await greeted()
    const asking = helper.neighbors()
    const neighbor = (address: string) => ({
      family: 4,
      address,
      linkLayerAddress: '',
      interface: 'eth0',
      nudState: 'STALE',
      router: false,
    })
    const token = tokenOf(far)
    far.say({ type: 'page', token, items: [neighbor('192.0.2.1')] })
    far.say({ type: 'page', token, items: [neighbor('192.0.2.2')] })
    far.say({ type: 'reply', token, request: 'neighbors', result: { count: 2 } })
    expect(await asking).toEqual({ ok: true, value: [neighbor('192.0.2.1'), neighbor('192.0.2.2')] })
  })

  it('are at most sixteen at once', async () => {
    const { far, helper } = await greeted()
    for (let count = 0; count < 16; count += 1) void helper.snapshot()
    const sent = far.received.length
    expect(await helper.snapshot()).toMatchObject({ ok: false, failure: { code: 'tooManyRequests' } })
    expect(far.received).toHaveLength(sent)
  })

  it('fail when the helper dies, and so do all after it', async () => {
    const { far, helper } = await greeted()
    const asking = helper.sockets()
    far.exit(null, 'SIGSEGV')
    expect(await asking).toMatchObject({ ok: false, failure: { code: 'helperDied' } })
    expect(await helper.routes()).toMatchObject({ ok: false, failure: { code: 'helperGone' } })
    expect(far.ends).toMatchObject([{ code: 'helperDied', message: expect.stringContaining('SIGSEGV') }])
  })
})

describe('a stream that cannot be trusted', () => {
  it.each([
    ['an answer that nobody asked for', encodeControl({ type: 'reply', token: 99, result: {} }), 'badSequence'],
    ['a second hello', encodeControl(hello), 'badSequence'],
    ['a message with a wrong member', encodeControl({ type: 'tick', tick: 'one' }), 'badMessage'],
    ['no JSON', Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 0x7b]), 'badJson'],
    ['a frame that is too large', Buffer.from([0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0]), 'frameTooLarge'],
    ['a batch that contradicts itself', Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 0]), 'badFrame'],
  ])('ends the helper: %s', async (_what, bytes, code) => {
    const { far } = await greeted()
    far.bytes(Buffer.concat([bytes, encodeControl({ type: 'degraded', reasons: [] })]))
    expect(far.isKilled).toBe(true)
    expect(far.ends).toMatchObject([{ code }])
    expect(far.messages).toEqual([hello])
  })
})

describe('the end', () => {
  it('is quiet when it was asked for', async () => {
    const { far, helper } = await greeted()
    const closing = helper.close()
    expect(far.isInputClosed).toBe(true)
    far.exit(0)
    await closing
    expect(far.ends).toEqual([null])
    expect(far.isKilled).toBe(false)
  })

  it('is quiet after a file was read to its end', async () => {
    const { far } = await greeted()
    far.say({ type: 'end', reason: 'endOfFile', packets: 3, offsetBytes: 9, message: '', fix: '' })
    far.exit(0)
    expect(far.ends).toEqual([null])
  })

  it('gives the helper’s last words', async () => {
    const { far } = await greeted()
    const failure = { code: 'internal', message: 'Something broke.', fix: 'Report it.' }
    far.say({ type: 'error', ...failure, fatal: true })
    far.exit(4)
    expect(far.ends).toEqual([failure])
  })
})

describe('batches', () => {
  it('reach the monitor in their order', async () => {
    const { far } = await greeted()
    const payload = Buffer.alloc(16)
    payload.writeUInt32LE(3, 0)
    payload.writeUInt16LE(152, 4)
    far.batch(frameTypes.flows, payload)
    far.say({ type: 'degraded', reasons: [] })
    expect(far.messages.slice(1)).toMatchObject([{ type: 'flows', tick: 3, count: 0 }, { type: 'degraded' }])
  })
})
