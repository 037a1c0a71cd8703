/** The frames in test/fixtures/golden are written by the native tests from the protocol's tables, not by this code. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readFlowBatch } from '../../../electron/helper/flow-batch'
import {
  encodeControl,
  FrameReader,
  frameTypes,
  headerBytes,
  type FrameType,
} from '../../../electron/helper/frame-codec'
import { readControl } from '../../../electron/helper/messages'
import { readSocketBatch } from '../../../electron/helper/socket-batch'

interface Golden {
  file: string
  sender: 'helper' | 'laterHelper' | 'application' | 'nobody'
  type?: 'control' | 'flowBatch' | 'socketBatch'
  message?: Record<string, unknown>
  tick?: number
  token?: number
  records?: Record<string, unknown>[]
  error?: string
}

const directory = new URL('../../fixtures/golden/', import.meta.url)
const { frames } = JSON.parse(readFileSync(new URL('golden.json', directory), 'utf8')) as { frames: Golden[] }

function read(file: string): { frames: { type: FrameType; payload: Uint8Array }[]; failure: string | null } {
  const found: { type: FrameType; payload: Uint8Array }[] = []
  const reader = new FrameReader((type, payload) => found.push({ type, payload }))
  const failure = reader.push(readFileSync(new URL(file, directory)))
  return { frames: found, failure: failure?.code ?? null }
}

function payloadOf(file: string, type: FrameType): Uint8Array {
  const { frames: found, failure } = read(file)
  expect(failure).toBeNull()
  expect(found.map((frame) => frame.type)).toEqual([type])
  return found[0]?.payload ?? new Uint8Array()
}

const written = (sender: Golden['sender'][], type?: Golden['type']) =>
  frames.filter((frame) => sender.includes(frame.sender) && frame.type === type)

describe('golden frames', () => {
  it('are all there', () => {
    expect(written(['helper'], 'control').length).toBeGreaterThan(5)
    expect(written(['helper', 'laterHelper'], 'flowBatch')).toHaveLength(2)
    expect(written(['helper'], 'socketBatch')).toHaveLength(2)
    expect(written(['application'], 'control').length).toBeGreaterThan(3)
    expect(written(['nobody']).length).toBeGreaterThan(3)
  })

  it.each(written(['helper'], 'control'))('$file is understood as it was meant', ({ file, message }) => {
    const control = readControl(payloadOf(file, frameTypes.control))
    if (!control.ok || control.value === null) throw new Error(`not understood: ${JSON.stringify(control)}`)
    const understood = control.value.kind === 'event' ? control.value.event : control.value.answer
    expect(message).toMatchObject(understood)
    // What an answer is about is known by its token; `fatal` goes without saying in an event.
    const implied = control.value.kind === 'answer' ? ['request'] : ['fatal']
    expect([...Object.keys(understood), ...implied]).toEqual(expect.arrayContaining(Object.keys(message ?? {})))
  })

  it.each(written(['helper', 'laterHelper'], 'flowBatch'))('$file is read in place', ({ file, tick, records = [] }) => {
    const batch = readFlowBatch(payloadOf(file, frameTypes.flows))
    if (!batch.ok) throw new Error(batch.failure.message)
    expect(batch.value.tick).toBe(tick)
    expect(batch.value.count).toBe(records.length)
    records.forEach((record, index) => {
      expect(batch.value.flowIdAt(index)).toBe(record['flowId'])
      expect(batch.value.readRecord(index)).toEqual(record)
      const { localAddress: _local, remoteAddress: _remote, ...totals } = record
      const target = batch.value.readRecord((index + 1) % records.length)
      batch.value.readTotals(index, target)
      expect(target).toMatchObject(totals)
    })
    expect(() => batch.value.flowIdAt(records.length)).toThrow(RangeError)
  })

  it.each(written(['helper'], 'socketBatch'))('$file gives sockets', ({ file, token, records = [] }) => {
    const batch = readSocketBatch(payloadOf(file, frameTypes.sockets))
    if (!batch.ok) throw new Error(batch.failure.message)
    const names: Record<number, string> = { 1: 'ESTAB', 10: 'LISTEN' }
    expect(batch.value.token).toBe(token)
    expect(batch.value.sockets).toEqual(
      records.map((record) => ({ ...record, state: names[record['state'] as number] })),
    )
  })

  it.each(written(['application'], 'control'))('$file is what this side writes', ({ file, message = {} }) => {
    const golden = readFileSync(new URL(file, directory))
    const own = encodeControl(message)
    expect(JSON.parse(Buffer.from(own.subarray(headerBytes)).toString())).toEqual(
      JSON.parse(golden.subarray(headerBytes).toString()),
    )
    const reader = new FrameReader(() => undefined)
    expect(reader.push(own)).toBeNull()
    expect(reader.isInsideFrame).toBe(false)
  })

  it.each(written(['nobody']))('$file is refused with $error', ({ file, error }) => {
    expect(read(file)).toEqual({ frames: [], failure: error })
  })
})
