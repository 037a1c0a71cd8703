/**
 * Frames of native/PROTOCOL.md: cut out of a byte stream, and made for one.
 *
 *   0        4      5       6      8
 *   +--------+------+-------+------+---------- ... ----------+
 *   | length | type | flags | zero |  payload (length bytes) |
 *   +--------+------+-------+------+---------- ... ----------+
 */
import type { Failure } from '../shared/errors'

export const frameTypes = { control: 1, flows: 2, sockets: 3 } as const
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes]

export const headerBytes = 8
export const maxFrameBytes = 16 * 1024 * 1024
export const maxControlBytes = 64 * 1024

const brokenStreamFix = 'Restart the helper; if it happens again, rebuild it, so that both sides are of one version.'

function isFrameType(value: number): value is FrameType {
  return value === frameTypes.control || value === frameTypes.flows || value === frameTypes.sockets
}

/**
 * Cuts a stream into frames as its chunks come. A frame that is too big or of an unknown kind is refused when its header
 * is read, so that a helper that lies about lengths costs no memory. The first failure is final: where the next frame
 * would begin is not known any more.
 */
export class FrameReader {
  readonly #header = new Uint8Array(headerBytes)
  #headerFilled = 0
  #type: FrameType = frameTypes.control
  #payload: Uint8Array | null = null
  #payloadFilled = 0
  #failure: Failure | null = null

  /** Each payload is a buffer of its own that the reader never touches again. */
  constructor(private readonly onFrame: (type: FrameType, payload: Uint8Array) => void) {}

  /** Takes the next bytes; calls `onFrame` for every frame that they complete. Gives the failure that ended the stream. */
  push(chunk: Uint8Array): Failure | null {
    let at = 0
    while (at < chunk.length && this.#failure === null) {
      if (this.#payload === null) {
        const taken = Math.min(headerBytes - this.#headerFilled, chunk.length - at)
        this.#header.set(chunk.subarray(at, at + taken), this.#headerFilled)
        this.#headerFilled += taken
        at += taken
        if (this.#headerFilled < headerBytes) break
        this.#beginPayload()
        if (this.#failure !== null) break
      }
      const payload = this.#payload as Uint8Array | null
      if (payload === null) continue
      const taken = Math.min(payload.length - this.#payloadFilled, chunk.length - at)
      payload.set(chunk.subarray(at, at + taken), this.#payloadFilled)
      this.#payloadFilled += taken
      at += taken
      if (this.#payloadFilled === payload.length) this.#finish(payload)
    }
    return this.#failure
  }

  /** True in the middle of a frame: a stream that ends here was cut off. */
  get isInsideFrame(): boolean {
    return this.#headerFilled > 0
  }

  #beginPayload(): void {
    const header = new DataView(this.#header.buffer)
    const length = header.getUint32(0, true)
    const type = header.getUint8(4)
    const flags = header.getUint8(5)
    const zero = header.getUint16(6, true)
    if (!isFrameType(type) || flags !== 0 || zero !== 0) {
      this.#failure = {
        code: 'badFrame',
        message: `The helper sent a frame of type ${type}, flags ${flags}, that this version does not know.`,
        fix: brokenStreamFix,
      }
      return
    }
    const limit = type === frameTypes.control ? maxControlBytes : maxFrameBytes
    if (length > limit) {
      this.#failure = {
        code: 'frameTooLarge',
        message: `The helper announced a frame of ${length} bytes; the limit is ${limit}.`,
        fix: brokenStreamFix,
      }
      return
    }
    this.#type = type
    this.#payloadFilled = 0
    // Not from Node's shared pool: flow batches are kept until their tick closes, and would keep the pool alive.
    this.#payload = new Uint8Array(length)
    if (length === 0) this.#finish(this.#payload)
  }

  #finish(payload: Uint8Array): void {
    this.#payload = null
    this.#headerFilled = 0
    this.onFrame(this.#type, payload)
  }
}

/** A control frame ready to be written. Throws a RangeError when the message is longer than the protocol allows. */
export function encodeControl(message: object): Uint8Array {
  const payload = Buffer.from(JSON.stringify(message), 'utf8')
  if (payload.length > maxControlBytes) throw new RangeError(`A control frame holds ${maxControlBytes} bytes.`)
  const frame = Buffer.alloc(headerBytes + payload.length)
  frame.writeUInt32LE(payload.length, 0)
  frame.writeUInt8(frameTypes.control, 4)
  payload.copy(frame, headerBytes)
  return frame
}
