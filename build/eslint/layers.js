/**
 * Who may import whom, as data for eslint-plugin-boundaries. Everything that is not allowed here is refused.
 *
 * `imports`: layers of this repository. `node`: Node's own modules. `packages: false`: no npm packages either.
 * A layer may always import itself, except that one feature folder of the window never sees another.
 */
/** Packages that only the named layers may know. */
const owned = { electron: ['main', 'preload'], uplot: ['chart'], 'd3-*': ['map'], 'topojson-client': ['map'] }

const layers = {
  shared: { pattern: 'electron/shared', imports: [], node: false, packages: false },
  monitor: { pattern: 'electron/monitor', imports: ['shared'], node: false, packages: false },
  helper: { pattern: 'electron/helper', imports: ['shared'], node: true },
  dissect: { pattern: 'electron/dissect', imports: ['shared'], node: true },
  sources: { pattern: 'electron/sources', imports: ['shared'], node: true },
  history: { pattern: 'electron/history', imports: ['shared'], node: true },
  headless: {
    pattern: 'electron/headless',
    imports: ['shared', 'monitor', 'helper', 'dissect', 'sources', 'history'],
    node: true,
  },
  main: {
    pattern: 'electron/main',
    imports: ['shared', 'monitor', 'helper', 'dissect', 'sources', 'history'],
    node: true,
  },
  preload: { pattern: 'electron/preload', imports: ['shared'], node: false },

  state: { pattern: 'renderer/state', imports: ['shared'], node: false },
  styles: { pattern: 'renderer/styles', imports: [], node: false },
  chart: { pattern: 'renderer/chart', imports: ['shared', 'styles'], node: false },
  map: { pattern: 'renderer/map', imports: ['shared', 'styles'], node: false },
  components: {
    pattern: 'renderer/components',
    imports: ['shared', 'styles', 'state', 'chart', 'map'],
    node: false,
  },
  feature: {
    pattern: 'renderer/features/*',
    capture: ['name'],
    imports: ['shared', 'styles', 'state', 'chart', 'map', 'components'],
    node: false,
  },
  window: {
    pattern: 'renderer',
    imports: ['shared', 'styles', 'state', 'chart', 'map', 'components', 'feature'],
    node: false,
  },
}

/** The value of the plugin's setting `boundaries/elements`; the first match wins, so the widest pattern stands last. */
export const elements = Object.entries(layers).map(([type, { pattern, capture }]) => ({
  type,
  pattern,
  ...(capture && { capture }),
}))

/** The options of the rule `boundaries/dependencies`. */
export const dependencies = {
  default: 'disallow',
  // Packages and Node's own modules too, not only files of this repository.
  checkAllOrigins: true,
  message: '{{from.element.types}} must not import this. Who may import whom stands in build/eslint/layers.js.',
  // The last matching policy decides, so the owned packages come after the general permission.
  policies: [
    ...Object.entries(layers).map(([type, { imports, node, packages = true }]) => {
      const own = type === 'feature' ? { type, captured: { name: '{{from.element.captured.name}}' } } : { type }
      return {
        from: { element: { type } },
        allow: [
          { to: { element: [own, ...imports.map((layer) => ({ type: layer }))] } },
          ...(node ? [{ to: { module: { origin: 'core' } } }] : []),
          ...(packages ? [{ to: { module: { origin: 'external' } } }] : []),
        ],
      }
    }),
    ...Object.entries(owned).map(([source, owners]) => ({
      from: { element: { types: { noneOf: owners } } },
      disallow: { to: { module: { origin: 'external', source } } },
    })),
  ],
}
