import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from './command'
import type { Lab } from './lab'
import { paths } from './paths'

/**
 * Copies of built programs in the lab's directory, laid out as in `out/`, owned by root: the repository may lie in a home
 * that the lab's user cannot enter.
 * @returns the path of a copy for a path below the repository
 */
export async function publicCopy(lab: Lab, sources: readonly string[]): Promise<(source: string) => string> {
  const copyOf = (source: string): string => join(lab.directory, 'public', source.slice(paths.root.length))
  for (const source of sources) {
    mkdirSync(dirname(copyOf(source)), { recursive: true })
    await runCommand('cp', ['-R', source, copyOf(source)])
  }
  return copyOf
}
