/** SELinux forbids the container to use a mounted path. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { flagsNamed, flagValue, hasSwitch, type Mount } from '../formats/docker-run.ts'
import { field } from '../formats/log-line.ts'
import { valueAt } from '../formats/mcp-config.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { citeConfig, citeEngine, citeLog } from './cite.ts'
import { effectiveRun, failure, placeOfToken } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'selinux-label',
  severity: 'error',
  title: 'SELinux forbids the container to use a mounted path',
  only: 'failed',
  needs: ['config', 'serverLog', 'engine'],
  uses: ['setup', 'image', 'hostPaths'],
  detect({ config, serverLog, engine }, { setup, image, hostPaths }) {
    const attempt = failure(serverLog)
    const run = effectiveRun(config, setup)?.run
    if (!attempt || !run) return null
    const options = engine.info?.securityOptions ?? []
    if (!options.some((o) => /\bselinux\b/.test(o))) return null
    const off = hasSwitch(run, 'privileged') || flagsNamed(run, 'security-opt').some((f) => /^label[=:]disable$/.test(f.value ?? ''))
    const unlabelled = run.mounts.filter((m) => m.type === 'bind' && !/(?:^|,)z(?:,|$)/i.test(m.options))
    if (off || unlabelled.length === 0) return null
    // Permission denied (os error 13) · EACCES: permission denied, open '/data/x' · [Errno 13] Permission denied: '/data/x'
    const denied = attempt.stderr.filter((l) => /EACCES|Errno 13|os error 13|permission denied/i.test(field(l, 'message') ?? ''))
    const hit = denied.flatMap((line) => {
      const text = field(line, 'message') ?? ''
      const named = unlabelled.find((m) => new RegExp(`(?:^|[\\s"'\`:(])${escaped(m.target)}(?:[/\\s"'\`:),]|$)`).test(text))
      // A text without any path can mean only one mount where there is only one.
      const mount = named ?? (/["'`\s(]\/\w/.test(text) || unlabelled.length > 1 ? undefined : unlabelled[0])
      return mount ? [{ line, mount, named: named !== undefined }] : []
    })[0]
    if (!hit) return null
    const user = flagValue(run, 'user') ?? image?.inspect?.user ?? null
    const root = user !== null && /^(?:root|0)?(?::.*)?$/.test(user)
    const host = hostPaths?.[hit.mount.source]
    const open = host !== undefined && host.type !== 'missing' && (host.mode & 0o005) === 0o005
    return {
      observations: ['serverLog', 'engine', 'config'],
      // Root may pass by ordinary permissions, and so may all where the mode lets them: then it is the label.
      rank: hit.named && (root || open) ? 'supported' : 'suspected',
      facts: { source: hit.mount.source, target: hit.mount.target, user },
      cites: [
        citeEngine('info', `SecurityOptions: ${options.join(', ')}`),
        ...(placeOf(config, hit.mount) ? [citeConfig(config, placeOf(config, hit.mount) ?? [])] : []),
        citeLog(hit.line),
      ],
      detail: `${hit.mount.source} is mounted without a label that containers may use${root ? ', and the container runs as root, whom ordinary permissions do not stop' : ''}.`,
      remedies: remedies(config, hit.mount),
    }
  },
})

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function placeOf(config: ConfigEvidence, mount: Mount): (string | number)[] | null {
  const same = config.expected?.run.mounts.find((m) => m.source === mount.source && m.target === mount.target)
  return same ? placeOfToken(config, same.index) : null
}

function remedies(config: ConfigEvidence, mount: Mount): Remedy[] {
  const place = placeOf(config, mount)
  const written: unknown = place ? valueAt(config.document, place)?.value : null
  // A label goes to everything below; on folders of the system that breaks the host.
  if (/^\/(?:(?:etc|usr|bin|sbin|lib|lib64|boot|dev|proc|sys|var|root|home|opt|run|srv|tmp)\/?)?$|^\/home\/[^/]+\/?$/.test(mount.source))
    return [{ kind: 'instruction', title: `Mount a folder of its own instead of ${mount.source}, with :z.` }]
  if (place === null || mount.flag !== 'volume' || typeof written !== 'string' || !written.startsWith(`${mount.source}:${mount.target}`))
    return [{ kind: 'instruction', title: `Mount ${mount.source} with -v and the option z (shared) or Z (private).` }]
  return [
    {
      kind: 'config-edit',
      class: 'mounts',
      title: 'Let docker label the folder for containers',
      because: 'z gives it and all below it the label that containers share',
      edits: [{ path: place, value: `${written}${mount.options === '' ? ':' : ','}z` }],
    },
  ]
}
