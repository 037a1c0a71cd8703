/**
 * The files of netbase(5) that give numbers their names: /etc/services, /etc/protocols, /etc/ethertypes.
 */
import { readFileSync } from 'node:fs'

/** One line: `name  value  aliases...  # comment`. */
export interface NameLine {
  name: string
  value: string
}

/** The lines of such a file in order, comments and blank lines left out. */
export function parseNameFile(text: string): NameLine[] {
  const lines: NameLine[] = []
  for (const line of text.split('\n')) {
    const [name, value] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/)
    if (name !== undefined && name !== '' && value !== undefined) lines.push({ name, value })
  }
  return lines
}

/** The text of a file of the system, `''` where it is missing: a minimal system has none of them. */
export function readSystemFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
