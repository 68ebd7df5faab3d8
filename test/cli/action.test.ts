/** The script of action.yml, run as GitHub runs it; the expressions are what GitHub puts into the environment. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { validSarif } from '../helpers/sarif.ts'
import { packageRoot } from '../helpers/package-root.ts'

const bad = JSON.stringify({ mcpServers: [{ name: 'a', enabled: true, command: 'docker', args: ['run', '-it', 'x/y'] }] })

/** The last `run: |` block, its indentation taken off. */
function script(): string {
  const text = readFileSync(join(packageRoot(), 'action.yml'), 'utf8')
  const block = text.slice(text.lastIndexOf('run: |\n') + 'run: |\n'.length)
  assert.doesNotMatch(block, /\$\{\{/, 'an expression in a script is an injection')
  return block.replaceAll(/^ {8}/gm, '')
}

test('the action annotates, summarises, writes SARIF, and fails as lint does', { skip: process.platform === 'win32' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-action-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'a file.json'), bad)
  const run = (inputs: Record<string, string>) =>
    spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script()], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...{ PATH: process.env['PATH'], HOME: folder, RUNNER_TEMP: folder, GITHUB_ACTION_PATH: packageRoot() },
        GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
        ...{ FILES: '*.json', FAIL_ON: 'error', MCPPROXY_VERSION: '', BASELINE: '', SARIF: '', HELP_URI_BASE: '' },
        ...{ GITHUB_SERVER_URL: 'https://github.example', ACTION_REPOSITORY: '', ACTION_REF: '' },
        ...inputs,
      },
    })
  const failed = run({ FILES: 'a file.json\n\n', SARIF: 'x.sarif', MCPPROXY_VERSION: '0.60.0' })
  assert.equal(failed.status, 1, failed.stderr)
  assert.match(failed.stdout, /^::error file=a file\.json,line=1,[^\n]*title=tty-flag \(a\)::/)
  assert.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /\| error \| 1:\d+ \| \[?`tty-flag`/)
  assert.match(readFileSync(join(folder, 'x.sarif'), 'utf8'), /"ruleId": "tty-flag"/)
  const helpUri = (inputs: Record<string, string>): string | undefined => {
    run({ SARIF: 'x.sarif', ...inputs })
    return validSarif(readFileSync(join(folder, 'x.sarif'), 'utf8')).tool.driver.rules[0]?.helpUri
  }
  assert.equal(helpUri({}), undefined)
  const used = { ACTION_REPOSITORY: 'someone/doctor', ACTION_REF: 'v1' }
  assert.equal(helpUri(used), 'https://github.example/someone/doctor/blob/v1/docs/findings/tty-flag.md')
  assert.equal(helpUri({ ...used, HELP_URI_BASE: 'https://example.org/pages/' }), 'https://example.org/pages/tty-flag.md')
  writeFileSync(join(folder, 'a file.json'), bad.replace('-it', '-i'))
  assert.equal(run({ FILES: 'a file.json' }).status, 0)
  assert.equal(run({ FILES: 'none.json' }).status, 2)
})
