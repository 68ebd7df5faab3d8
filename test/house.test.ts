/** The rules of the house are held by scripts; each must catch what it is there for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ESLint, Linter } from 'eslint'
import { packageRoot } from './helpers/package-root.ts'

const root = packageRoot()
const eslint = new ESLint({ cwd: root })

/** What ESLint says of a line of code in this file, with the settings that this file has. */
async function saidOf(file: string, code: string): Promise<string[]> {
  const { plugins, rules, languageOptions } = (await eslint.calculateConfigForFile(join(root, file))) as Linter.Config
  const ours = ['house/imports', 'no-restricted-properties', 'no-restricted-globals', 'no-restricted-imports']
  const linter = new Linter({ cwd: root })
  const { projectService: _, ...parserOptions } = languageOptions?.['parserOptions'] as Record<string, unknown>
  const messages = linter.verify(
    code,
    [
      {
        files: ['**/*.ts'],
        plugins: plugins ?? {},
        languageOptions: { ...languageOptions, parserOptions },
        rules: Object.fromEntries(Object.entries(rules ?? {}).filter(([name]) => ours.includes(name))),
      },
    ],
    join(root, file),
  )
  assert.ok(!messages.some((m) => m.fatal), JSON.stringify(messages))
  return messages.map((m) => m.ruleId ?? '')
}

test('imports against the directions are refused, however they are written', async () => {
  for (const [file, code] of [
    ['src/lib/formats/x.ts', "import { rules } from '../rules/index.ts'"],
    ['src/lib/formats/x.ts', "import { imageFor } from '../mcpproxy/images.ts'"],
    ['src/lib/rules/x.ts', "import { renderJson } from '../report/json.ts'"],
    ['src/lib/rules/x.ts', "export { observed } from '../system/system.ts'"],
    ['src/lib/rules/x.ts', "export * from '../system/system.ts'"],
    ['src/lib/rules/x.ts', "import '../system/live.ts'"],
    ['src/lib/report/x.ts', "const { check } = await import('../workflow/check.ts')"],
    ['src/lib/evidence/secrets.ts', "import { observed, type Files } from '../system/system.ts'"],
    ['src/commands/check.ts', "const { createLiveSystem } = await import('../lib/system/live.ts')"],
    ['src/lib/workflow/x.ts', "import fs from 'node:fs/promises'"],
    ['src/lib/evidence/collect-x.ts', "import { execa } from 'execa'"],
    ['src/lib/base-command.ts', "import { readFileSync } from 'fs'"],
    ['src/lib/errors.ts', "import Docker from 'dockerode'"],
    ['src/lib/new-folder/x.ts', "import { rules } from '../rules/index.ts'"],
  ] as const) {
    assert.deepEqual(await saidOf(file, code), ['house/imports'], `${file}: ${code}`)
  }
})

test('imports along the directions are not, nor are types from anywhere', async () => {
  for (const [file, code] of [
    ['src/lib/rules/x.ts', "import type { System } from '../system/system.ts'"],
    ['src/lib/rules/x.ts', "import { type System } from '../system/system.ts'"],
    ['src/lib/rules/x.ts', "import { nearest } from '../errors.ts'"],
    ['src/lib/report/x.ts', "export type { Outcome } from '../rules/rule.ts'"],
    ['src/lib/evidence/collect-x.ts', "import { observed } from '../system/system.ts'"],
    ['src/lib/workflow/x.ts', "import { rules } from '../rules/index.ts'"],
    ['src/lib/system/x.ts', "import fs from 'node:fs/promises'\nimport { execa } from 'execa'"],
    ['src/lib/base-command.ts', "import { observed } from './system/system.ts'"],
    ['test/unit/x.test.ts', "import fs from 'node:fs/promises'"],
  ] as const) {
    assert.deepEqual(await saidOf(file, code), [], `${file}: ${code}`)
  }
})

test('the environment, process.exit and fetch are kept to their places', async () => {
  assert.deepEqual(await saidOf('src/lib/rules/x.ts', "process.env['HOME']"), ['no-restricted-properties'])
  assert.deepEqual(await saidOf('src/lib/rules/x.ts', 'const { env } = process'), ['no-restricted-properties'])
  assert.deepEqual(await saidOf('src/lib/rules/x.ts', "import { env } from 'node:process'"), ['no-restricted-imports'])
  assert.deepEqual(await saidOf('src/lib/system/x.ts', "process.env['HOME']"), [])
  assert.deepEqual(await saidOf('src/lib/system/x.ts', 'process.exit(1)'), ['no-restricted-properties'])
  assert.deepEqual(await saidOf('src/lib/evidence/collect-x.ts', "await fetch('http://x')"), ['no-restricted-globals'])
})

function folderOf(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-house-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}
const cycles = (folder: string) => spawnSync(process.execPath, [join(root, 'scripts/cycles.js'), folder], { encoding: 'utf8' })

test('a circle of imports is found, also through import(), export from and types', (t) => {
  const { status, stderr } = cycles(
    folderOf(t, {
      'a.ts': "import { b } from './deep/b.ts'\nexport const a = b",
      'deep/b.ts': "export * from './c.ts'\nexport const b = 1",
      'deep/c.ts': "export const c = async () => import('../d.ts')",
      'd.ts': "import type { a } from './a.ts'\nexport type D = typeof a",
    }),
  )
  assert.equal(status, 1)
  for (const file of ['a.ts', 'b.ts', 'c.ts', 'd.ts']) assert.match(stderr, new RegExp(`[\\\\/]${file}`))
})

test('no circle: exit 0; no files: that is no success', (t) => {
  const straight = folderOf(t, { 'a.ts': "import './b.ts'\nimport './c.ts'", 'b.ts': "import './c.ts'", 'c.ts': 'export {}' })
  assert.equal(cycles(straight).status, 0)
  assert.equal(cycles(folderOf(t, {})).status, 1)
})
