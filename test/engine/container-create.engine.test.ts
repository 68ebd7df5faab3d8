import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { containerCreate } from '../../src/lib/formats/container-create.ts'
import { parseDockerRun } from '../../src/lib/formats/docker-run.ts'

const docker = new Docker()
const run = promisify(execFile)
const sets: string[][] = [
  [
    '--rm',
    '-i',
    '--network',
    'none',
    '--memory',
    '64m',
    '--cpus',
    '0.5',
    '-e',
    'A=1',
    '-e',
    'INHERITED',
    '-e',
    'NOT_SET',
    '-w',
    '/x',
    '-u',
    '1000:1000',
  ],
  ['-v', '/tmp:/a:ro', '-v', 'doctor-test-cache:/b', '-v', '/anonymous', '--tmpfs', '/t:size=1m', '--tmpfs', '/u', '--read-only', '--init'],
  [
    '--mount',
    'type=bind,source=/tmp,target=/m,readonly',
    '--mount',
    'type=tmpfs,dst=/n',
    '--mount',
    'source=doctor-test-cache,target=/o,volume-nocopy',
  ],
  [
    '--cap-drop',
    'ALL',
    '--cap-add',
    'CHOWN',
    '--security-opt',
    'no-new-privileges',
    '--pids-limit',
    '50',
    '--ulimit',
    'nofile=10:20',
    '--ulimit',
    'core=0',
  ],
  [
    '--add-host',
    'a:1.2.3.4',
    '--add-host',
    'b=1.2.3.5',
    '--add-host=h:host-gateway',
    '--dns',
    '1.1.1.1',
    '--hostname',
    'h',
    '--sysctl',
    'net.core.somaxconn=9',
  ],
  [
    '--log-driver',
    'json-file',
    '--log-opt',
    'max-size=1m',
    '--log-opt',
    'max-file=2',
    '--shm-size',
    '32m',
    '--ipc',
    'private',
    '--entrypoint',
    'sh',
  ],
  [
    '--log-opt',
    'max-size=1m',
    '--label',
    'a=b=c',
    '--label',
    'd',
    '--privileged',
    '--memory',
    '1g',
    '--memory-swap',
    '-1',
    '--stop-signal',
    'SIGINT',
    '-c',
    '7',
  ],
]

test('the engine is asked for what the docker command asks for', async (t) => {
  const labels = ['--label', `mcpproxy-doctor.test=${process.pid}`]
  process.env['INHERITED'] = 'yes'
  const made: Docker.Container[] = []
  t.after(async () => {
    await Promise.all(made.map((c) => c.remove({ force: true, v: true })))
    await docker
      .getVolume('doctor-test-cache')
      .remove()
      .catch(() => undefined)
  })
  for (const flags of sets) {
    const args = [...labels, ...flags, 'alpine:3.18', 'echo', '-v', 'x']
    const { stdout } = await run('docker', ['create', ...args.filter((a) => a !== '--rm')])
    const byCommand = docker.getContainer(stdout.trim())
    made.push(byCommand)
    const request = containerCreate(
      parseDockerRun(['run', ...args.filter((a) => a !== '--rm')]),
      { INHERITED: 'yes' },
      { file: '', variables: {} },
    )
    assert.ok(typeof request !== 'string', JSON.stringify(request))
    const byUs = await docker.createContainer(request.body)
    made.push(byUs)
    const [a, b] = await Promise.all([byCommand.inspect(), byUs.inspect()])
    assert.deepEqual(essence(b), essence(a), flags.join(' '))
  }
  await docker
    .getVolume('doctor-test-cache')
    .remove()
    .catch(() => undefined)
})

/** Without what is random, and without the command's own defaults that mean "not given". Both sides shuffle lists whose order means nothing. */
function essence({ Config, HostConfig }: Docker.ContainerInspectInfo): unknown {
  const { Hostname, AttachStdin: _, AttachStdout: __, AttachStderr: ___, ...config } = Config as unknown as Record<string, unknown>
  const empty = (v: unknown): boolean =>
    v == null || v === '' || v === 0 || v === false || (typeof v === 'object' && Object.keys(v).length === 0)
  const plain = (o: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(o).filter(([, v]) => !empty(v)))
  const { ConsoleSize: _c, MemorySwappiness, NetworkMode, ...host } = HostConfig as unknown as Record<string, unknown>
  const result = {
    config: { ...plain(config), hostname: /^[0-9a-f]{12}$/.test(String(Hostname)) ? 'random' : Hostname },
    host: plain({
      ...host,
      NetworkMode: NetworkMode === 'default' ? '' : NetworkMode,
      MemorySwappiness: MemorySwappiness === -1 ? null : MemorySwappiness,
    }),
  }
  const order = (key: string, value: unknown): unknown => {
    if (key === 'DriverConfig' && empty(value)) return undefined
    if (!Array.isArray(value) || key === 'Cmd' || key === 'Entrypoint') return value
    return value.map((item) => JSON.stringify(item, order)).sort()
  }
  return JSON.parse(JSON.stringify(result, order))
}
