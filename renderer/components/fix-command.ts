/**
 * Splits a fix into its words and the command that it tells to run, `''` where there is none. A command begins with sudo
 * and goes to the end of the text.
 */
export function splitFix(fix: string): { words: string; command: string } {
  const start = fix.search(/\bsudo \S/)
  if (start < 0) return { words: fix, command: '' }
  return { words: fix.slice(0, start).trim(), command: fix.slice(start).trim().replace(/\.$/, '') }
}
