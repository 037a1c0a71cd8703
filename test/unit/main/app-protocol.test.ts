import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appProtocolHandler, contentSecurityPolicy } from '../../../electron/main/app-protocol'

let root: string
let serve: ReturnType<typeof appProtocolHandler>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'netloupe-app-protocol-'))
  await mkdir(join(root, 'renderer', 'assets'), { recursive: true })
  await writeFile(join(root, 'renderer', 'index.html'), '<!doctype html>')
  await writeFile(join(root, 'renderer', 'assets', 'index.js'), 'export {}')
  await writeFile(join(root, 'renderer', 'notes.txt'), 'not for the page')
  await writeFile(join(root, 'secret.js'), 'outside')
  await mkdir(join(root, 'renderer-2'))
  await writeFile(join(root, 'renderer-2', 'secret.js'), 'beside')
  serve = appProtocolHandler(join(root, 'renderer'))
})

afterAll(async () => {
  await rm(root, { recursive: true, force: true })
})

const get = (url: string) => serve({ method: 'GET', url })

describe('the app protocol', () => {
  it('serves the page with its type and policy', async () => {
    const response = await get('app://netloupe/index.html')
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('<!doctype html>')
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toBe(contentSecurityPolicy)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('takes no notice of a query or fragment', async () => {
    expect((await get('app://netloupe/assets/index.js?v=1#top')).headers.get('content-type')).toContain('javascript')
  })

  it.each([
    'app://netloupe/../secret.js',
    'app://netloupe/%2e%2e/secret.js',
    'app://netloupe/%2e%2e%2fsecret.js',
    'app://netloupe/assets/..%2f..%2fsecret.js',
    'app://netloupe/..%2frenderer-2/secret.js',
    'app://netloupe//etc/hostname.js',
    'app://netloupe/index.js%00.html',
    'app://netloupe/',
    'app://netloupe/assets',
    'app://netloupe/notes.txt',
    'app://netloupe/missing.js',
    'app://other/index.html',
    'app://netloupe:80/index.html',
    'app://user@netloupe/index.html',
    'file:///etc/hostname.js',
  ])('does not serve %s', async (url) => {
    const response = await get(url)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('')
  })

  it('refuses a path that is no text, and every method but GET', async () => {
    expect((await get('app://netloupe/%ff.js')).status).toBe(400)
    expect((await serve({ method: 'POST', url: 'app://netloupe/index.html' })).status).toBe(405)
  })
})

describe('the content security policy', () => {
  const directives = new Map(
    contentSecurityPolicy.split('; ').map((directive): [string, string[]] => {
      const [name = '', ...values] = directive.split(' ')
      return [name, values]
    }),
  )

  it('allows nothing by default', () => {
    expect(directives.get('default-src')).toEqual(["'none'"])
  })

  it('never allows inline or evaluated code, other origins or wildcards', () => {
    for (const [name, values] of directives) {
      if (name.endsWith('-src')) expect(["'self'", "'none'"], name).toEqual(expect.arrayContaining(values))
    }
  })

  it('names what default-src does not cover', () => {
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) expect(directives.get(name)).toEqual(["'none'"])
  })
})
