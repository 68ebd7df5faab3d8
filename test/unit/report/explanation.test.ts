import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { displayWidth } from '../../../src/lib/report/clean.ts'
import { renderCodes, renderExplanation, renderMatches } from '../../../src/lib/report/explanation.ts'
import { createTheme, plainTheme } from '../../../src/lib/report/theme.ts'
import { allCodes, describeCode, type CodeDescription } from '../../../src/lib/rules/catalogue.ts'
import { explainAll, explainText } from '../../../src/lib/rules/match-text.ts'

const described = (): CodeDescription[] => allCodes().map((code) => describeCode(code) ?? assert.fail(code))
const text = (pasted: string, width = 80): string => renderMatches(explainText(pasted), plainTheme(width))
const pasted = ['the input device is not a TTY', 'exit code 137', 'MCPX_DOCKER_EXEC_NOT_FOUND', 'npm notice', 'nothing that is known']

test('within the width, wide or narrow, whatever is told', () => {
  for (const width of [40, 80, 120]) {
    const all = [
      ...described().map((d) => renderExplanation(d, plainTheme(width))),
      renderCodes(described(), plainTheme(width)),
      ...pasted.map((p) => text(p, width)),
    ]
    for (const line of all.join('').split('\n')) assert.ok(displayWidth(line) <= width, line)
  }
})
test('the same words without colour', async () => {
  const colour = await createTheme({ env: { FORCE_COLOR: '1', LANG: 'C.UTF-8' }, platform: 'linux', isTerminal: false })
  for (const p of pasted) assert.equal(stripVTControlCharacters(renderMatches(explainText(p), colour)), text(p))
  assert.match(renderExplanation(described()[0] ?? assert.fail(), colour), /\u001b\[/)
})
test('one explanation is told at length, of several the first, with what decides', () => {
  assert.match(text('the input device is not a TTY'), /^This text means one thing: tty-flag[^]*not Docker-in-Docker[^]*To heal it/)
  assert.match(text('exit code 137'), /^This text can mean 3 things[^]*memory-limit-reached[^]*decides[^]*oom event[^]*killed-from-outside/)
})
test("what only MCPProxy's code says is a list", () => {
  assert.match(text('MCPX_DOCKER_EXEC_NOT_FOUND'), /^MCPProxy uses this code for \d+ causes[^]*\nimage-lacks-program +/)
})
test('nothing, and nothing but harmless words', () => {
  assert.match(text('nothing that is known'), /none that is known/)
  assert.match(text('npm notice new version'), /harmless:[^]*npm notice/)
})
test('foreign words cannot act on the terminal', () => {
  const line = text('docker: unknown flag: --x\u001b]0;title\u0007\u202e')
  assert.doesNotMatch(line, /[\u001b\u0007\u202e]/)
})
test('the list has a line for each code', () => {
  const lines = renderCodes(explainAll().matches, plainTheme(120)).split('\n')
  for (const code of allCodes()) assert.ok(lines.some((line) => line.startsWith(`${code} `)))
})
