import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attempt, finding, type Synthetic } from '../../helpers/synthetic.ts'

// Synthetic: the second line is Chromium's own.
const refused = (text: string, more: Partial<Synthetic> = {}): Synthetic => ({
  server: { name: 'web', command: 'npx', args: ['-y', '@playwright/mcp'], isolation: { image: 'browser:1' } },
  images: { 'docker.io/library/browser:1': { Config: { User: '' } } },
  serverLog: attempt({
    stderr: [
      [1, 'browserType.launch: Target page, context or browser has been closed'],
      [1.1, text],
    ],
  }),
  ...more,
})
const asRoot = '[pid=22][err] [1124/100001.1:ERROR:zygote_host_impl_linux.cc(101)] Running as root without --no-sandbox is not supported.'

test('Chromium as root, and the image says that it runs as root: two observations', async () => {
  const found = await finding('browser-sandbox', refused(asRoot))
  assert.equal(found?.rank, 'supported')
  assert.match(found?.detail ?? '', /runs as root/)
})

test('no usable sandbox: docker holds the namespaces back, unless they were allowed', async () => {
  const text = '[FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox! If you are running on Ubuntu 23.10+ …'
  assert.equal((await finding('browser-sandbox', refused(text)))?.rank, 'supported')
  const allowed = refused(text, {
    server: {
      name: 'web',
      command: 'npx',
      args: ['-y', '@playwright/mcp'],
      isolation: { image: 'browser:1', extra_args: ['--security-opt', 'seccomp=unconfined'] },
    },
  })
  assert.equal((await finding('browser-sandbox', allowed))?.rank, 'suspected')
})

test('near miss: the same line of a server that connected says nothing', async () => {
  assert.equal(
    await finding('browser-sandbox', refused(asRoot, { serverLog: attempt({ stderr: [[1, asRoot]], end: ['connected', 3] }) })),
    null,
  )
})
