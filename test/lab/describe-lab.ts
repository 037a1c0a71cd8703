import { describe } from 'vitest'
import { whyNoLab } from './lab-support'

/** `describe` for tests that need the lab: where it cannot run they are skipped, and the title says why. */
export function describeLab(title: string, body: () => void): void {
  const why = whyNoLab()
  describe.skipIf(why !== undefined)(why === undefined ? title : `${title} (skipped: ${why})`, body)
}
