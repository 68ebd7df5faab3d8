import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programPaths, searchPath } from '../../../src/lib/system/image-programs.ts'
import { tarEntries, type TarEntry } from '../../../src/lib/system/tar-headers.ts'

interface Made {
  path: string
  type?: string
  mode?: number
  target?: string
  content?: string
  prefix?: string
}

function entry({ path, type = '0', mode = 0o755, target = '', content = '', prefix = '' }: Made): Buffer {
  const header = Buffer.alloc(512)
  header.write(path, 0, 100)
  header.write(mode.toString(8).padStart(7, '0'), 100)
  header.write(Buffer.byteLength(content).toString(8).padStart(11, '0'), 124)
  header.write(type, 156)
  header.write(target, 157, 100)
  header.write('ustar\0', 257, 'latin1')
  header.write(prefix, 345)
  header.write(' '.repeat(8), 148)
  header.write(
    `${header
      .reduce((a, b) => a + b, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512)
  body.write(content)
  return Buffer.concat([header, body])
}

const end = Buffer.alloc(1024)
const pax = (records: Record<string, string>): Buffer => {
  const lines = Object.entries(records).map(([k, v]) => {
    const rest = ` ${k}=${v}\n`
    let length = Buffer.byteLength(rest)
    length += String(length + String(length).length).length
    return `${length}${rest}`
  })
  return entry({ path: 'PaxHeaders', type: 'x', content: lines.join('') })
}

async function* pieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

async function read(data: Buffer, size = 1000): Promise<TarEntry[]> {
  const all: TarEntry[] = []
  for await (const e of tarEntries(pieces(data, size))) all.push(e)
  return all
}

const long = `usr/share/${'a'.repeat(120)}/ü`

test('names: ustar prefix, GNU long name, pax path; in pieces of any size', async () => {
  const data = Buffer.concat([
    entry({ path: 'bash', prefix: 'usr/bin', content: 'x'.repeat(700) }),
    entry({ path: '././@LongLink', type: 'L', content: `${long}\0` }),
    entry({ path: long.slice(0, 100), content: 'y' }),
    entry({ path: '././@LongLink', type: 'K', content: `${long}\0` }),
    entry({ path: 'bin/l', type: '2', target: 'cut' }),
    pax({ path: `${long}/pax`, linkpath: 'there', mtime: '1.5' }),
    entry({ path: 'cut', type: '2', target: 'cut' }),
    entry({ path: 'dev/null', type: '3' }),
    entry({ path: 'bin/', type: '5' }),
    end,
  ])
  const expected = [
    { path: 'usr/bin/bash', type: 'file', mode: 0o755, target: '' },
    { path: long, type: 'file', mode: 0o755, target: '' },
    { path: 'bin/l', type: 'symlink', mode: 0o755, target: long },
    { path: `${long}/pax`, type: 'symlink', mode: 0o755, target: 'there' },
    { path: 'dev/null', type: 'other', mode: 0o755, target: '' },
    { path: 'bin/', type: 'directory', mode: 0o755, target: '' },
  ]
  for (const size of [1, 7, 512, 513, 100_000]) assert.deepEqual(await read(data, size), expected, `pieces of ${size}`)
})

test('what is no tar, or is cut off, is an error and no list', async () => {
  await assert.rejects(read(Buffer.from('garbage'.repeat(200))), /checksum/)
  await assert.rejects(read(Buffer.alloc(0)), /too early/)
  const whole = Buffer.concat([entry({ path: 'bin/sh', content: 'x' }), end])
  for (const cut of [100, 512, 700, 1024, 1100]) await assert.rejects(read(whole.subarray(0, cut)), /too early/, `cut at ${cut}`)
  await assert.rejects(read(Buffer.concat([entry({ path: 'x', type: 'x', content: 'nonsense' }), end])), /pax/)
})

const programs = (entries: Made[], folders: string[], tail = end): Promise<string[]> =>
  programPaths(pieces(Buffer.concat([...entries.map(entry), tail]), 300), folders, 1e9)

test('programs: executable files and links of the PATH, wherever a link leads', async () => {
  const merged: Made[] = [
    { path: 'bin', type: '2', target: 'usr/bin' },
    { path: 'opt/tool/bin/deep/no' },
    { path: 'opt/tool/bin/run' },
    { path: 'usr/bin/bash' },
    { path: 'usr/bin/readme', mode: 0o644 },
    { path: 'usr/bin/sh', type: '2', target: 'bash' },
    { path: 'usr/bin/zsh', type: '1', target: 'usr/bin/bash' },
    { path: 'usr/lib/no' },
    { path: 'usr/local/bin', type: '2', target: '/opt/tool/bin' },
  ]
  assert.deepEqual(await programs(merged, ['/usr/local/bin', '/bin']), [
    '/opt/tool/bin/run',
    '/usr/bin/bash',
    '/usr/bin/sh',
    '/usr/bin/zsh',
  ])
  assert.deepEqual(await programs([{ path: './bin/busybox' }, { path: './bin/sh', type: '2', target: '/bin/busybox' }], ['/bin']), [
    '/bin/busybox',
    '/bin/sh',
  ])
  assert.deepEqual(
    await programs(
      [
        { path: 'a', type: '2', target: 'b' },
        { path: 'b', type: '2', target: 'a' },
      ],
      ['/a'],
    ),
    [],
  )
})

test('programs: reading stops behind the last folder, but only in an ordered archive', async () => {
  const cut = Buffer.from('never read as a header')
  assert.deepEqual(await programs([{ path: 'bin/sh' }, { path: 'etc/x' }], ['/bin'], cut), ['/bin/sh'])
  await assert.rejects(programs([{ path: 'etc/x' }, { path: 'bin/sh' }, { path: 'zz' }], ['/bin'], cut))
  // /bin leads to a folder that comes later.
  assert.deepEqual(
    await programs(
      [{ path: 'bin', type: '2', target: 'usr/bin' }, { path: 'etc/x' }, { path: 'usr/bin/sh' }, { path: 'var' }],
      ['/bin'],
      cut,
    ),
    ['/usr/bin/sh'],
  )
})

test('the PATH of an image', () => {
  assert.deepEqual(searchPath({ Config: { Env: ['A=1', 'PATH=/usr/local/bin:/bin/:relative::/bin'] } }), ['/usr/local/bin', '/bin'])
  assert.equal(searchPath({ Config: { Env: null } }).length, 6)
})
