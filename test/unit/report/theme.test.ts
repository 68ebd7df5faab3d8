import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canUnicode, colourLevel, createTheme, outputWidth } from '../../../src/lib/report/theme.ts'

const level = (env: Record<string, string>, isTerminal = true, noColor = false): number =>
  colourLevel({ env, platform: 'linux', isTerminal, noColor })

test('colour', () => {
  assert.equal(level({ TERM: 'xterm' }), 1)
  assert.equal(level({ TERM: 'xterm-256color' }), 2)
  assert.equal(level({ TERM: 'xterm-256color', COLORTERM: 'truecolor' }), 3)
  assert.equal(level({ TERM: 'xterm' }, false), 0, 'not in a pipe')
  assert.equal(level({ TERM: 'dumb' }), 0)
  assert.equal(level({ NO_COLOR: '1' }), 0)
  assert.equal(level({ NO_COLOR: '' }), 1, 'an empty NO_COLOR is none')
  assert.equal(level({ NO_COLOR: '1', FORCE_COLOR: '1' }), 0)
  assert.equal(level({ FORCE_COLOR: '1' }, false), 1)
  assert.equal(level({ FORCE_COLOR: '' }, false), 1)
  assert.equal(level({ FORCE_COLOR: '3' }, false), 3)
  assert.equal(level({ FORCE_COLOR: '0' }), 0)
  assert.equal(level({ FORCE_COLOR: '1' }, true, true), 0, '--no-color wins')
})

test('symbols follow the locale', () => {
  assert.ok(canUnicode({ env: { LANG: 'de_DE.UTF-8' }, platform: 'linux' }))
  assert.ok(canUnicode({ env: { LANG: 'C.utf8' }, platform: 'linux' }))
  assert.ok(!canUnicode({ env: { LANG: 'C.UTF-8', LC_ALL: 'C' }, platform: 'linux' }), 'LC_ALL wins')
  assert.ok(!canUnicode({ env: {}, platform: 'linux' }))
  assert.ok(canUnicode({ env: {}, platform: 'darwin' }))
  assert.ok(canUnicode({ env: { WT_SESSION: 'x' }, platform: 'win32' }))
  assert.ok(!canUnicode({ env: {}, platform: 'win32' }))
})

test('without UTF-8 our own signs are ASCII', async () => {
  const theme = await createTheme({ env: { LANG: 'C' }, platform: 'linux', isTerminal: true, columns: 80 })
  assert.equal(theme.symbols.ok, 'ok')
  assert.match(Object.values(theme.symbols).join(''), /^[ -~]*$/)
  assert.equal(theme.text('••••, “a” … b → c'), '****, "a" ... b -> c')
})

test('width', () => {
  assert.equal(outputWidth(undefined), 80)
  assert.equal(outputWidth(0), 80)
  assert.equal(outputWidth(20), 40)
  assert.equal(outputWidth(60), 60)
  assert.equal(outputWidth(100), 100)
  assert.equal(outputWidth(300), 120)
})
