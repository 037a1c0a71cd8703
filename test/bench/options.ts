import { parseArgs } from 'node:util'

export const partNames = ['cpu', 'memory', 'main', 'start'] as const
export type PartName = (typeof partNames)[number]

export const transports = ['udp', 'tcp'] as const
export type Transport = (typeof transports)[number]

export interface BenchOptions {
  parts: readonly PartName[]
  /** What the frames of the CPU cases carry. nethogs looks at connections of TCP only and adds up all UDP as unknown. */
  transports: readonly Transport[]
  /** How long the generator sends in one case. */
  seconds: number
  /** Runs of each case; the median counts. */
  repeat: number
}

export const usage = `npm run bench [-- --only ${partNames.join(',')}] [--seconds N] [--repeat N]`

/** Reads the command line; throws with one sentence when it is wrong. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      transport: { type: 'string' },
      seconds: { type: 'string' },
      repeat: { type: 'string' },
    },
  })
  const parts = values.only === undefined ? partNames : values.only.split(',')
  for (const part of parts)
    if (!partNames.includes(part as PartName)) throw new Error(`There is no part "${part}". ${usage}`)
  const chosen = values.transport === undefined ? transports : values.transport.split(',')
  for (const transport of chosen)
    if (!transports.includes(transport as Transport)) throw new Error(`There is no transport "${transport}". ${usage}`)
  return {
    parts: parts as PartName[],
    transports: chosen as Transport[],
    seconds: positive(values.seconds, 4, '--seconds'),
    repeat: positive(values.repeat, 1, '--repeat'),
  }
}

function positive(text: string | undefined, fallback: number, name: string): number {
  const value = text === undefined ? fallback : Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} takes a positive integer. ${usage}`)
  return value
}
