import { runCommand } from './command'
import { paths } from './paths'

/** Builds the traffic tools where they are missing or older than their sources. */
export async function buildTools(): Promise<void> {
  await runCommand('make', ['--quiet', '-C', paths.toolSources])
}
