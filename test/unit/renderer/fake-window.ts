import { FakeApi } from './fake-api'

/** The api that the stores under test find; import this before them. */
export const fake = new FakeApi({ processCount: 6, flowCount: 30 })

Object.assign(globalThis, { window: { netloupe: fake } })

/** Lets answers that are under way arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}
