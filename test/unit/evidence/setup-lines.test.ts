/** Setup lines of the newest run of MCPProxy and of the one before it: what `args` shows, as `check` knows it. */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { collectMainLog } from '../../../src/lib/evidence/collect-logs.ts'
import { createFiles } from '../../../src/lib/system/files.ts'
import type { System } from '../../../src/lib/system/system.ts'

let minute = 0
const time = (): string => new Date(Date.UTC(2026, 9, 1, 0, minute++)).toISOString()
const start = (version: string): string =>
  `${time()} | INFO | cobra@v1.10.2/command.go:1015 | Starting mcpproxy | {"version": "${version}"}`
const setup = (server: string, memory: string): string =>
  `${time()} | INFO | core/connection_stdio.go:150 | Docker isolation setup completed | {"server": "${server}", "container_name": "mcpproxy-${server}-ypwk", "docker_run_args": ["run", "--rm", "-i", "--memory", "${memory}", "node:20"]}`
const between = (kilobytes: number): string =>
  Array.from({ length: kilobytes * 8 }, (_, i) => `${time()} | DEBUG | upstream/client.go:613 | Health check passed | {"tick": ${i}}`).join(
    '\n',
  )

async function setups(t: TestContext, lines: readonly string[], servers: readonly string[]) {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  const files = createFiles()
  t.after(async () => {
    await files.close()
    await fs.rm(folder, { recursive: true, force: true })
  })
  await fs.writeFile(path.join(folder, 'main.log'), `${lines.join('\n')}\n`)
  const system = { files, now: () => new Date() } as unknown as System
  const reading = await collectMainLog(system, [folder], servers, new Set(servers), Date.now() + 60_000, 'setups')
  assert.ok(reading.ok)
  return {
    version: reading.value.log.version?.text ?? null,
    setups: Object.fromEntries(
      [...reading.value.setups].map(([server, { line, olderRun }]) => [server, [/"--memory", "(\w+)"/.exec(line.raw)?.[1], olderRun]]),
    ),
  }
}

for (const kilobytes of [1, 3000])
  test(`the newest of each server in two runs, with ${kilobytes} kB between them`, async (t) => {
    const lines = [
      start('v0.58.0'),
      setup('earliest', '1m'),
      between(kilobytes),
      start('v0.59.0'),
      setup('early', '1m'),
      setup('early', '2m'),
      setup('other', '3m'),
      between(kilobytes),
      start('v0.60.0'),
      setup('late', '4m'),
      between(kilobytes),
    ]
    assert.deepEqual(await setups(t, lines, ['earliest', 'early', 'late', 'absent']), {
      version: 'v0.60.0',
      setups: { late: ['4m', false], early: ['2m', true] },
    })
  })

test('without any start all are of the newest run that is known', async (t) => {
  assert.deepEqual(await setups(t, [setup('a', '1m'), between(600), setup('b', '2m')], ['a', 'b']), {
    version: null,
    setups: { a: ['1m', false], b: ['2m', false] },
  })
})

test('what was not read is said: the rest of a log, an older one that cannot be opened, and those that are too many', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  const files = createFiles()
  t.after(async () => {
    await files.close()
    await fs.rm(folder, { recursive: true, force: true })
  })
  const system = { files, now: () => new Date() } as unknown as System
  const unread = async (deadline: number): Promise<string | null> => {
    const reading = await collectMainLog(system, [folder], ['b'], new Set(['b']), deadline, 'setups')
    assert.ok(reading.ok)
    return reading.value.unread
  }
  const soon = (): number => Date.now() + 60_000
  const rotation = (day: number): string => path.join(folder, `main-2026-09-0${day}T00-00-00.000.log`)
  const log = `${[start('v0.59.0'), setup('a', '1m'), between(10)].join('\n')}\n`
  await fs.writeFile(path.join(folder, 'main.log'), log)
  assert.equal(await unread(soon()), null)
  assert.match((await unread(Date.now() - 1)) ?? '', /main\.log was not read to its beginning/)
  for (const day of [1, 2, 3, 4, 5, 6]) await fs.writeFile(rotation(day), log)
  assert.match((await unread(soon())) ?? '', /main-2026-09-01T.*older ones were not looked into/)
  await fs.rm(rotation(5))
  await fs.mkdir(rotation(5))
  assert.notEqual(await unread(soon()), null)
})
