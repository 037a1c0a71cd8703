import js from '@eslint/js'
import boundaries from 'eslint-plugin-boundaries'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import { dependencies, elements } from './build/eslint/layers.js'
import svelteConfig from './svelte.config.js'

export default ts.config(
  { ignores: ['out/', 'dist/', 'node_modules/', 'test-results/', 'coverage/', 'native/'] },
  js.configs.recommended,
  ts.configs.strict,
  ts.configs.stylistic,
  svelte.configs.recommended,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      // An interface and a type alias differ in what they can say; which one is clearer is the author's choice.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  { files: ['renderer/**'], languageOptions: { globals: globals.browser } },
  { files: ['electron/**', 'build/**', 'test/**', '*.js', '*.ts'], languageOptions: { globals: globals.node } },
  { files: ['build/**', 'test/**', 'electron/headless/**'], rules: { 'no-console': 'off' } },
  {
    files: ['electron/**', 'renderer/**'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': elements,
      'boundaries/elements-single-match': true,
      'boundaries/dependency-nodes': ['import', 'export', 'dynamic-import', 'require'],
      'import/resolver': { node: { extensions: ['.ts', '.svelte.ts', '.svelte', '.js', '.json'] } },
    },
    rules: { 'boundaries/dependencies': ['error', dependencies] },
  },
  {
    files: ['renderer/**'],
    ignores: ['renderer/state/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name=/^(window|globalThis|self)$/][property.name="netloupe"]',
          message: 'Only renderer/state talks to the main process; use its stores.',
        },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'netloupe', message: 'Only renderer/state talks to the main process; use its stores.' },
      ],
    },
  },
)
