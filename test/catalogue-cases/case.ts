/** What the cases of the catalogue are written in: one server "web" and what is seen of it. All synthetic. */
import { attempt, container, life, type Synthetic } from '../helpers/synthetic.ts'

export interface Case {
  /** Evidence in which the code must be found. May be left out where a recording shows it. */
  found?: Synthetic
  /** Evidence that looks like it, and in which its rule must say: no. */
  near: Synthetic
}
export type Cases = Record<string, Case>

type Entry = Record<string, unknown> & { command?: string }
type More = Partial<Synthetic>

const isOwn = (server: Entry): boolean => server.command === 'docker'
const lines = (texts: readonly string[], from: number): [number, string][] => texts.map((text, i) => [from + i / 100, text])
const about = (server: Entry): { command: string; container?: null } => ({
  command: server.command ?? '',
  ...(isOwn(server) ? { container: null } : {}),
})

export const npx: Entry = { command: 'npx', args: ['-y', 'some-mcp'] }
export const node: Entry = { command: 'node', args: ['/srv/mcp/x.mjs'], isolation: { extra_args: ['-v', '/srv/mcp:/srv/mcp:ro'] } }
export const own = (...args: string[]): Entry => ({ command: 'docker', args: ['run', '-i', '--rm', ...args] })
export const flags = (...extra_args: string[]): Entry => ({ ...npx, isolation: { extra_args } })

/** Its program ran and ended by itself. */
export const failed = (server: Entry, texts: string[] = [], more: More & { exit?: number } = {}): Synthetic => {
  const { exit, ...rest } = more
  return {
    server: { name: 'web', ...server },
    serverLog: attempt({ ...about(server), stderr: lines(texts, 1), end: ['exited', 2] }),
    events: life({
      labels: !isOwn(server),
      ...(isOwn(server) ? { name: 'clever_merkle', image: imageOf(server) } : {}),
      then: [
        [0.1, 'create'],
        [0.3, 'start'],
        [1.9, 'die', { exitCode: String(exit ?? 1) }],
        [1.95, 'destroy'],
      ],
    }),
    ...rest,
  }
}
const imageOf = (server: Entry): string => (server['args'] as string[]).find((a, i) => i > 0 && !a.startsWith('-')) ?? ''

/** Docker refused, and the engine never heard of a container. */
export const refused = (server: Entry, text: string, more: More = {}): Synthetic => ({
  server: { name: 'web', ...server },
  serverLog: attempt({ ...about(server), stderr: lines([text], 0.2), end: ['exited', 0.4] }),
  events: [],
  ...more,
})
export const daemon = (text: string): string => `docker: Error response from daemon: ${text}`

/** It lived and did not answer. */
export const hung = (server: Entry, texts: string[] = [], more: More = {}): Synthetic => ({
  server: { name: 'web', ...server },
  serverLog: attempt({ ...about(server), stderr: lines(texts, 1), end: ['no-answer', 30] }),
  events: life({
    then: [
      [0.1, 'create'],
      [0.3, 'start'],
      [30.1, 'kill', { signal: '15' }],
      [30.4, 'die', { exitCode: '143' }],
      [30.5, 'destroy'],
    ],
  }),
  ...more,
})

/** It works, whatever it prints. */
export const works = (server: Entry, texts: string[] = [], more: More = {}): Synthetic => ({
  server: { name: 'web', ...server },
  serverLog: attempt({ ...about(server), stderr: lines(texts, 1), end: ['connected', 2] }),
  events: life({
    then: [
      [0.1, 'create'],
      [0.3, 'start'],
    ],
  }),
  containers: [container({})],
  status: { connected: true, tool_count: 2 },
  ...more,
})

/** Never started: what the configuration alone says. */
export const only = (server: Entry, more: More = {}): Synthetic => ({ server: { name: 'web', ...server }, ...more })
export const written = (configText: string): Synthetic => ({ server: { name: 'web' }, configText })
export const directory = { type: 'directory', mode: '0755', uid: 0, gid: 0 }
export const file = { type: 'file', mode: '0644', uid: 0, gid: 0, size: 1 }
