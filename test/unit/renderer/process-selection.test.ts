import { afterEach, describe, expect, it } from 'vitest'
import { fake, settle } from './fake-window'
import { connections } from '../../../renderer/state/connections.svelte'
import { navigation } from '../../../renderer/state/navigation.svelte'
import { pause } from '../../../renderer/state/pause.svelte'
import { processSelection } from '../../../renderer/state/process-selection.svelte'

describe('the selected process', () => {
  afterEach(() => {
    processSelection.clear()
    if (pause.paused) pause.toggle()
  })

  it('is described, tick by tick', async () => {
    processSelection.select(1)
    const stop = processSelection.follow()
    await settle()
    expect(processSelection.details?.owner.name).toBe('firefox-esr')
    const before = processSelection.details?.traffic.rxBytes ?? 0
    fake.tick()
    expect(processSelection.details?.traffic.rxBytes).toBeGreaterThanOrEqual(before)
    stop()
    expect(fake.requests.at(-1)?.name).toBe('processDetails.release')
  })

  it('stands still while paused', async () => {
    processSelection.select(1)
    const stop = processSelection.follow()
    await settle()
    const { details } = processSelection
    pause.toggle()
    fake.tick()
    expect(processSelection.details).toBe(details)
    stop()
  })

  it('keeps what was last known when it is gone', async () => {
    processSelection.select(2)
    const stop = processSelection.follow()
    await settle()
    fake.emit('processDetails', { ownerId: 2, details: null })
    expect(processSelection.isGone).toBe(true)
    expect(processSelection.details?.owner.name).toBe('rsync')
    stop()
  })

  it('is not described by the answer for the one before', async () => {
    processSelection.select(1)
    processSelection.follow()()
    processSelection.select(2)
    const stop = processSelection.follow()
    await settle()
    expect(processSelection.details?.owner.ownerId).toBe(2)
    stop()
  })
})

describe('the ways between tabs', () => {
  it('lead from a flow to its process', () => {
    navigation.tab = 'connections'
    processSelection.panelOpen = false
    navigation.showProcess(4)
    expect(navigation.tab).toBe('processes')
    expect(processSelection.ownerId).toBe(4)
    expect(processSelection.panelOpen).toBe(true)
  })

  it('lead from a process to its flows', () => {
    connections.query = { ...connections.query, group: 'nonTcp' }
    navigation.showConnections('curl')
    expect(navigation.tab).toBe('connections')
    expect(connections.query).toMatchObject({ filter: 'curl', group: 'all', offset: 0 })
  })
})
