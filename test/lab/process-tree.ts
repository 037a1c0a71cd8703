import { readdirSync, readFileSync } from 'node:fs'

/** A process and its descendants. */
export function processTree(rootPid: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = parentOf(entry)
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const tree = [rootPid]
  // The loop sees what it appends.
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** 0 for a process that has ended since it was listed. */
function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // comm may hold spaces and parentheses: fields are counted from the last one.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0
  }
}
