/** The file was changed, but the running client still has what it was started with. */
import type { ConfigEvidence, IsolationSetup, ProxyStatus, ServerLog } from '../evidence/evidence.ts'
import { flagsNamed, type DockerRun } from '../formats/docker-run.ts'
import { sameImage } from '../evidence/collect-engine.ts'
import type { ConfigPath } from '../formats/mcp-config.ts'
import { since } from '../mcpproxy/versions.ts'
import { citeApi, citeConfig, citeLog } from './cite.ts'
import { isConnected } from './connected.ts'
import { serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'not-restarted',
  severity: 'error',
  title: 'The file was changed, but the running client still has the old settings',
  needs: ['config', 'setup'],
  uses: ['serverLog', 'status', 'mainLog'],
  detect({ config, setup }, { serverLog, status, mainLog }, { version }) {
    if (!config.server || config.server.enabled !== true || config.document.problems.some((p) => p.kind !== 'duplicate-key')) return null
    // MCPProxy does not run: the next start takes the file.
    if (status === null) return null
    const difference = argvDifference(config, setup, serverLog) ?? loadedDifference(config, status)
    if (!difference) return null
    const reloaded = mainLog?.general.filter((l) => l.message === 'Configuration reload completed').at(-1)
    const newer = setup && config.mtimeMs !== null && config.mtimeMs > setup.at.getTime()
    return {
      observations: ['config', ...(difference.from === 'setup' ? (['setup'] as const) : (['status'] as const))],
      ...(version.assumed ? {} : { proof: `What was started last is not what the file says${newer ? ', and the file is newer' : ''}.` }),
      severity: isConnected(serverLog, status) ? 'warning' : 'error',
      facts: { differs: difference.what, was: difference.was, is: difference.is },
      cites: [
        citeConfig(config, difference.place),
        ...(difference.from === 'setup' && setup
          ? [citeLog(setup.line, `${setup.line.message}: ${difference.what} ${difference.was}`)]
          : [citeApi('/api/v1/config', difference.what, difference.was)]),
        ...(reloaded ? [citeLog(reloaded)] : []),
      ],
      detail: `${difference.what}: the running client has ${difference.was}, the file says ${difference.is}. ${since(version.value, 'hotReload') ? 'A reload of the file does not rebuild a client when only isolation changed.' : `MCPProxy ${version.value.text} does not read the file again by itself.`}`,
      remedies: [
        {
          kind: 'reload',
          title: since(version.value, 'hotReload')
            ? 'Restart this server'
            : 'Restart MCPProxy (or this server, if it re-reads its entry: v0.33.1 and later)',
        },
      ],
    }
  },
})

export interface Difference {
  what: string
  was: string
  is: string
  place: ConfigPath
  from: 'setup' | 'status'
}

/** The newest argument list in the log against the one that the file leads to. */
function argvDifference(config: ConfigEvidence, setup: IsolationSetup | null, log: ServerLog | undefined): Difference | null {
  const { server, expected, decision } = config
  if (!server || !decision) return null
  const newest = log?.newest
  const recent = setup && !setup.olderRun && (!newest?.isolated || newest.isolated.containerName === setup.containerName)
  if (!setup || !recent) {
    const ran = newest && ['connected', 'exited', 'no-answer'].includes(newest.outcome) ? newest : null
    if (ran && ran.isolated === null && expected?.kind === 'isolated' && (log?.files.length ?? 0) > 0 && ran.lines.length > 2) {
      return {
        what: 'isolation',
        was: 'off (run on the host)',
        is: 'on',
        place: decision.place ?? serverPath(server, 'isolation'),
        from: 'setup',
      }
    }
    return null
  }
  if (newest && newest.startedAt.getTime() > setup.at.getTime() + 60_000) return null
  if (expected?.kind !== 'isolated')
    return {
      what: 'isolation',
      was: 'on (run in a container)',
      is: 'off',
      place: decision.place ?? serverPath(server, 'isolation'),
      from: 'setup',
    }
  return setupDifference(config, setup, expected.run, [...expected.command])
}

/** The arguments in the log against those that the file leads to; what is random in them does not count. */
export function setupDifference(config: ConfigEvidence, setup: IsolationSetup, wanted: DockerRun, command: string[]): Difference | null {
  const { server } = config
  if (!server) return null
  const at = (...rest: ConfigPath): ConfigPath => serverPath(server, ...rest)
  const make = (what: string, was: string, is: string, place: ConfigPath): Difference => ({
    what,
    was: was || 'nothing',
    is: is || 'nothing',
    place,
    from: 'setup',
  })
  if (setup.run.image && wanted.image && !sameImage(setup.run.image, wanted.image)) {
    return make(
      'image',
      setup.run.image,
      wanted.image,
      server.isolation?.image ? at('isolation', 'image') : ['docker_isolation', 'default_images', setup.runtimeType],
    )
  }
  const ran = [setup.containerCommand, ...setup.containerArgs]
  if (ran.length !== command.length || ran.some((w, i) => !w.includes('${') && !(command[i] ?? '').includes('${') && w !== command[i])) {
    return make('command', `${ran.length} words`, `${command.length} words`, ran[0] === command[0] ? at('args') : at('command'))
  }
  const names = (run: DockerRun): string =>
    flagsNamed(run, 'env')
      .map((f) => f.value?.split('=')[0] ?? '')
      .filter((n) => n !== '')
      .sort()
      .join(' ')
  if (names(setup.run) !== names(wanted)) return make('env names', names(setup.run), names(wanted), at('env'))
  const values = (run: DockerRun): Map<string, string> =>
    new Map(flagsNamed(run, 'env').map((f) => [f.value?.split('=')[0] ?? '', f.value ?? '']))
  const [before, after] = [values(setup.run), values(wanted)]
  for (const [name, value] of after)
    if (!value.includes('${') && before.get(name) !== value)
      return make(`value of env ${name}`, 'another one', 'a new one', at('env', name))
  const rest = (run: DockerRun): string[] =>
    run.flags
      .filter(
        (f) => !['name', 'env'].includes(f.name) && !(f.name === 'label' && /^com\.mcpproxy\.(?:instance|created)=/.test(f.value ?? '')),
      )
      .map((f) => `--${f.name}${f.value === null ? '' : ` ${f.value}`}`)
  const [was, is] = [rest(setup.run), rest(wanted)]
  const gone = was.filter((t) => !is.includes(t))
  const added = is.filter((t) => !was.includes(t))
  if (gone.length === 0 && added.length === 0) return null
  const flag = (added[0] ?? gone[0] ?? '').split(' ')[0] ?? ''
  return make(
    'docker flags',
    gone.join(' '),
    added.join(' '),
    flag === '--network'
      ? server.isolation?.network_mode
        ? at('isolation', 'network_mode')
        : ['docker_isolation', 'network_mode']
      : flag === '--memory'
        ? ['docker_isolation', 'memory_limit']
        : at('isolation', 'extra_args'),
  )
}

/** The entry in the daemon's memory against the file: what tells for releases that do not reload. */
export function loadedDifference(config: ConfigEvidence, status: ProxyStatus | null | undefined): Difference | null {
  const { server } = config
  const loaded = status?.loaded
  if (!server || !loaded) return null
  const same = (a: string, b: string): boolean => a === b || a.includes('${') || b.includes('${')
  if (!same(loaded.command, server.command))
    return { what: 'command', was: loaded.command, is: server.command, place: serverPath(server, 'command'), from: 'status' }
  if (loaded.args.length !== server.args.length || loaded.args.some((a, i) => !same(a, server.args[i] ?? '')))
    return {
      what: 'args',
      was: `${loaded.args.length} words`,
      is: `${server.args.length} words`,
      place: serverPath(server, 'args'),
      from: 'status',
    }
  const names = Object.keys(server.env).sort().join(' ')
  if ([...loaded.envNames].sort().join(' ') !== names)
    return { what: 'env names', was: [...loaded.envNames].sort().join(' '), is: names, place: serverPath(server, 'env'), from: 'status' }
  return null
}
