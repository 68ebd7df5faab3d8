import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setupTexts } from '../../../src/lib/mcpproxy/messages.ts'
import { expectSearch } from '../../../src/lib/workflow/long-search.ts'

const linux =
  process.platform === 'linux' ? {} : { skip: 'where it cannot be known that a disk is of this machine, nothing is begun early' }

test('a long search is expected of a large log whose end has no setup of the server, and of nothing else', linux, async (t) => {
  const logDir = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  t.after(() => fs.rm(logDir, { recursive: true, force: true }))
  const log = path.join(logDir, 'main.log')
  const expects = (server: string): Promise<boolean> => expectSearch({ logDir, env: {}, texts: setupTexts(server) })
  assert.equal(await expects('a'), false, 'no log')
  const setup = (server: string): string =>
    `2026 | INFO | Docker isolation setup completed | {"server": "${server}", "container_name": "mcpproxy-x", "docker_run_args": ["run", "x"]}\n`
  await fs.writeFile(log, `${setup('far')}${setup('near')}`)
  assert.equal(await expects('a'), false, 'a small log')
  // Zeros that take no room on the disk.
  await fs.truncate(log, 300 * 1024 * 1024)
  await fs.appendFile(log, `\n${setup('near')}2026 | INFO | Health check passed | {"server": "far"}\n`)
  assert.equal(await expects('far'), true)
  assert.equal(await expects('near'), false)
  await fs.rm(log)
  execFileSync('mkfifo', [log])
  assert.equal(await expects('a'), false, 'nobody writes into it')
})
