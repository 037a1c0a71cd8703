import { execFileSync } from 'node:child_process'

/** Why this machine cannot run the lab, or undefined when it can. */
export function whyNoLab(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const program of ['ip', 'nft']) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' })
    } catch {
      return `${program} is not installed`
    }
  }
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' })
  } catch {
    return 'this machine allows no new network namespaces'
  }
  return undefined
}
