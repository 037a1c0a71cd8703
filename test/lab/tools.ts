import { runCommand } from './command'

const root = new URL('../../', import.meta.url).pathname

/** Paths of the traffic tools in out/lab/. */
export const tools = { traffic: `${root}out/lab/traffic`, blast: `${root}out/lab/blast` } as const

/** Builds the traffic tools where they are missing or older than their sources. */
export async function buildTools(): Promise<void> {
  await runCommand('make', ['--quiet', '-C', `${root}test/lab/tools`])
}
