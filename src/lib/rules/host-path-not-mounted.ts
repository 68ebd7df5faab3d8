/** The command or an argument names a file or folder of the host that the container does not have. */
import { detectRuntime, plainImage } from '../mcpproxy/images.ts'
import type { HostPath } from '../system/system.ts'
import { citeConfig, citeHost, citeLog } from './cite.ts'
import { dockerFailure, effectiveRun, failure, hostSide, isMounted, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

/** Does the host have this absolute path? */
export const isHostFile = (paths: Record<string, HostPath> | undefined, path: string): boolean =>
  path.startsWith('/') &&
  paths?.[path] !== undefined &&
  paths[path].type !== 'missing' &&
  !/^\/(?:bin|usr|sbin|tmp|dev|proc|etc)(?:\/|$)/.test(path)

const interpreters = new Set(['node', 'python', 'ruby', 'php', 'sh', 'bash'])
const isScript = /^[^-\s]\S*\.(?:py|[cm]?js|ts|rb|php|sh)$/
const isMissedInTmp = (path: string, wanted: string, paths: Record<string, HostPath> | undefined): boolean =>
  path.startsWith('/tmp/') &&
  (wanted === path || wanted.startsWith(`${path}/`)) &&
  paths?.[path] !== undefined &&
  paths[path].type !== 'missing'

export default defineRule({
  code: 'host-path-not-mounted',
  severity: 'error',
  title: 'An argument names a file or folder of the host that the container does not have',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'hostPaths', 'setup'],
  detect({ config }, { serverLog, hostPaths, setup }) {
    const { server } = config
    const run = effectiveRun(config, setup)
    if (!server || !run) return null
    if (serverLog === undefined && hostPaths === undefined) return null
    const said = programSaid(serverLog, 'script-missing', 'file-missing', 'module-missing')
    const exec = dockerFailure(serverLog, 'exec-path-missing', 'exec-not-found')
    // Only the host or the program can tell whether there is such a path.
    if (!said && !exec && hostPaths === undefined) return null
    const pathsIn = (word: string): string[] =>
      [
        ...word.matchAll(
          /(?:^|[=:'"\s])(\/[^\s'":=,;]+|\.{1,2}\/[^\s'":=,;]+|[\w.-]+(?:\/[\w.-]+)*\.(?:py|js|mjs|cjs|ts|sh|json|ya?ml|toml|db|rb|php))(?=$|[\s'":,;])/g,
        ),
      ].map((m) => m[1] ?? '')
    const words = [server.command, ...server.args]
    const mounts = run.run.mounts
    const wanted = exec?.subject ?? said?.subject ?? null
    const candidates = words.flatMap((w, i) => (i === 0 && !w.includes('/') ? [] : pathsIn(w).map((path) => ({ i, path }))))
    const uncovered = candidates.filter(
      (c) =>
        !isMounted(mounts, c.path) &&
        !/^\/(?:dev|proc)(?:\/|$)/.test(c.path) &&
        // Every container has a /tmp of its own: only a path in it that the program itself misses, and the host has, is the host's.
        (!/^\/tmp(?:\/|$)/.test(c.path) || (wanted !== null && isMissedInTmp(c.path, wanted, hostPaths))) &&
        !(config.expected?.kind === 'own' && c.i - 1 <= config.expected.run.imageIndex),
    )
    const match =
      wanted === null
        ? undefined
        : uncovered.find(
            (c) => c.path === wanted || wanted.startsWith(`${c.path}/`) || wanted.endsWith(`/${c.path.replace(/^(?:\.{1,2}\/)+/, '')}`),
          )
    const here = uncovered.find((c) => isHostFile(hostPaths, c.path))
    // A mount covers it, and it is not there all the same: then the host does not have it either.
    const absent = wanted === null || match ? undefined : candidates.find((c) => c.path === wanted && isMounted(mounts, c.path))
    const source = absent ? hostSide(mounts, absent.path) : null
    const sure = source !== null && hostPaths?.[source]?.type === 'missing'
    const hit = match ?? absent ?? (serverLog?.failed ? undefined : here)
    if (!hit) return null
    if (failure(serverLog) && !said && !exec) return null
    const host = hostPaths?.[source ?? hit.path]
    const there = host !== undefined && host.type !== 'missing'
    // Neither side has it: it is wrongly written, or belongs into the image.
    const nowhere = !absent && hit.path.startsWith('/') && host?.type === 'missing'
    const place = hit.i === 0 ? serverPath(server, 'command') : serverPath(server, 'args', hit.i - 1)
    const parent = hit.path.replace(/\/[^/]+$/, '')
    // A mount on /tmp itself would hide the container's own, which programs write to.
    const alone = host?.type === 'directory' || parent === '/tmp'
    const folder = alone ? hit.path : parent
    const evidence = said ?? exec
    return {
      observations: [
        'config',
        ...(evidence && (match || absent) ? (['serverLog'] as const) : []),
        ...(there ? (['hostPaths'] as const) : []),
      ],
      // Whether the path or the source of the mount is wrong, only the host can tell.
      ...(absent && !sure ? { rank: 'suspected' as const } : {}),
      ...(nowhere
        ? { rank: 'suspected' as const, title: 'An argument names a file or folder that neither the container nor the host has' }
        : {}),
      ...(absent ? { title: 'An argument names a file that is in no mounted folder' } : {}),
      ...(match && there ? { proof: 'The host has it, no mount covers it, and the program in the container does not find it.' } : {}),
      facts: { path: hit.path },
      cites: [
        citeConfig(config, place),
        ...(evidence && (match || absent) ? [citeLog(evidence.line)] : []),
        ...(there
          ? [citeHost(hit.path, `is a ${host.type} on the host`)]
          : sure && source
            ? [citeHost(source, 'does not exist')]
            : nowhere
              ? [citeHost(hit.path, 'does not exist')]
              : []),
      ],
      detail: absent
        ? `A mount covers ${hit.path}, and the container does not find it: the host has nothing there, or it is mounted from another folder.`
        : nowhere
          ? `${hit.path} is not on this host either, and no mount brings it into the container.`
          : `${hit.path} is a path of the host; nothing of the host is in the container unless it is mounted.`,
      remedies: absent
        ? [{ kind: 'instruction', title: `Correct the path ${hit.path}, or the source of the mount.` }]
        : nowhere
          ? [
              {
                kind: 'instruction',
                title: `Correct the path ${hit.path}; a file of the host must also be mounted with isolation.extra_args.`,
              },
            ]
          : hit.path.startsWith('/') && folder.length > 1 && there
            ? [
                {
                  kind: 'config-edit',
                  // A home folder holds far more than the argument names.
                  class: /^(?:\/root|\/(?:home|Users)\/[^/]+|\/[^/]+)$/.test(folder) && folder !== hit.path ? 'mounts' : 'safe',
                  title: `Mount the ${host.type === 'file' && alone ? 'file' : 'folder'} read-only at the same path`,
                  because: 'the argument can then stay as it is',
                  edits: [
                    {
                      path: serverPath(server, 'isolation', 'extra_args'),
                      value: [...(server.isolation?.extra_args ?? []), '-v', `${folder}:${folder}:ro`],
                    },
                  ],
                },
              ]
            : [
                {
                  kind: 'instruction',
                  title: 'Write the absolute path and mount its folder with isolation.extra_args, or switch isolation off for this server.',
                },
              ],
    }
  },
  hint(config) {
    const { server, expected } = config
    if (!server || expected?.kind !== 'isolated' || !plainImage(expected.run.image)) return null
    // The file that an interpreter is to run, and folders of people: no stock image has those.
    const runs = interpreters.has(detectRuntime(server.command))
    const script = runs ? server.args.findIndex((a) => !a.startsWith('-')) : -1
    const at = server.args.findIndex(
      (a, i) =>
        ((i === script && (a.startsWith('/') || server.isolation?.working_dir === '' || !server.isolation) && isScript.test(a)) ||
          /^\/(?:home|Users)\/[^/]+/.test(a)) &&
        !isMounted(expected.run.mounts, a),
    )
    const path = server.args[at]
    if (path === undefined) return null
    return {
      observations: ['config'],
      facts: { path },
      cites: [citeConfig(config, serverPath(server, 'args', at))],
      detail: `${path} is a path of the host, and no mount brings it into the container.`,
      remedies: [{ kind: 'instruction', title: 'Mount its folder with isolation.extra_args, e.g. ["-v", "/folder:/folder:ro"].' }],
    }
  },
})
