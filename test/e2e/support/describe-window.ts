import { describe } from 'vitest'
import { whyNoWindow } from '../../lab/app'
import { whyNoLab } from '../../lab/lab-support'

/** `describe` for tests that show a window on a lab's host: where that cannot be, they are skipped, and the title says why. */
export function describeWindow(title: string, body: () => void): void {
  const why = whyNoLab() ?? whyNoWindow()
  describe.skipIf(why !== undefined)(why === undefined ? title : `${title} (skipped: ${why})`, body)
}
