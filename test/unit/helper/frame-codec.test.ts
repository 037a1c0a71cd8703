import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeControl,
  FrameReader,
  frameTypes,
  headerBytes,
  maxControlBytes,
  maxFrameBytes,
  type FrameType,
} from '../../../electron/helper/frame-codec'

function frame(type: number, payload: Uint8Array, { length = payload.length, flags = 0, zero = 0 } = {}): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32LE(length, 0)
  header.writeUInt8(type, 4)
  header.writeUInt8(flags, 5)
  header.writeUInt16LE(zero, 6)
  return Buffer.concat([header, payload])
}

function collect() {
  const frames: { type: FrameType; payload: number[] }[] = []
  const reader = new FrameReader((type, payload) => frames.push({ type, payload: [...payload] }))
  return { frames, reader }
}

describe('FrameReader', () => {
  it('finds the same frames however the stream is cut into chunks', () => {
    const payloads = fc.array(
      fc.record({ type: fc.constantFrom(1, 2, 3), payload: fc.uint8Array({ maxLength: 60 }) }),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (wanted, cuts) => {
        const stream = Buffer.concat(wanted.map(({ type, payload }) => frame(type, payload)))
        const { frames, reader } = collect()
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = cuts[turn % cuts.length] ?? 1
          expect(reader.push(stream.subarray(at, at + length))).toBeNull()
          at += length
        }
        expect(frames).toEqual(wanted.map(({ type, payload }) => ({ type, payload: [...payload] })))
        expect(reader.isInsideFrame).toBe(false)
      }),
    )
  })

  it('never throws on bytes of any kind', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
        const { reader } = collect()
        for (const chunk of chunks) reader.push(chunk)
      }),
    )
  })

  it.each([
    ['a control frame over its limit', frameTypes.control, maxControlBytes + 1],
    ['a batch over the limit of all frames', frameTypes.flows, maxFrameBytes + 1],
    ['the largest length there is', frameTypes.sockets, 0xffffffff],
  ])('refuses %s when it has read the header alone', (_what, type, length) => {
    const { frames, reader } = collect()
    const header = frame(type, Buffer.alloc(0), { length })
    expect(reader.push(header.subarray(0, 7))).toBeNull()
    expect(reader.push(header.subarray(7))?.code).toBe('frameTooLarge')
    expect(frames).toEqual([])
  })

  it.each([
    ['an unknown type', frame(9, Buffer.alloc(0))],
    ['flags', frame(1, Buffer.alloc(0), { flags: 1 })],
    ['a filled reserve', frame(1, Buffer.alloc(0), { zero: 256 })],
  ])('refuses %s, and everything after it', (_what, bad) => {
    const { frames, reader } = collect()
    expect(reader.push(Buffer.concat([frame(1, Buffer.from('{}')), bad]))?.code).toBe('badFrame')
    expect(reader.push(frame(1, Buffer.from('{}')))?.code).toBe('badFrame')
    expect(frames).toHaveLength(1)
  })

  it('gives payloads that later bytes do not change', () => {
    const kept: Uint8Array[] = []
    const reader = new FrameReader((_type, payload) => kept.push(payload))
    const chunk = frame(2, Buffer.from('first'))
    reader.push(chunk)
    chunk.fill(0)
    reader.push(frame(2, Buffer.from('other')))
    expect(kept.map((payload) => Buffer.from(payload).toString())).toEqual(['first', 'other'])
  })
})

describe('encodeControl', () => {
  it('refuses what the other side would refuse', () => {
    expect(() => encodeControl({ type: 'x'.repeat(maxControlBytes) })).toThrow(RangeError)
  })
})
