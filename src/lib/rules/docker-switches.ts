/** Switches in a docker command of the server's own, also of `docker exec`. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import { hasSwitch, parseDockerRun, type DockerRun } from '../formats/docker-run.ts'
import { valueAt } from '../formats/mcp-config.ts'
import type { ConfigEdit, Remedy } from '../remedies/remedy.ts'
import { placeOfToken, serverPath } from './helpers.ts'

/** `docker exec` takes -i, -t and -d as `docker run` does, and has a container in the place of the image. Null: it is no exec. */
export function ownExec({ expected, server }: ConfigEvidence): DockerRun | null {
  if (!server || expected?.kind !== 'own') return null
  const at = server.args.indexOf('exec')
  const verb = expected.run.subcommand[0]
  if (verb !== 'exec' && !(verb === 'container' && server.args[at - 1] === 'container')) return null
  return at < 0 ? null : parseDockerRun(server.args.map((word, i) => (i === at ? 'run' : word)))
}

/** Each token with this switch among the flags loses it; `-i` is added where none is left. */
export function withoutSwitch(config: ConfigEvidence, name: 'tty' | 'detach', title: string, because: string): Remedy[] {
  const exec = ownExec(config)
  const { server } = config
  const run = exec ?? config.expected?.run
  if (!run || !server) return []
  const letter = name.charAt(0)
  const edits: ConfigEdit[] = []
  const removed: ConfigEdit[] = []
  const keepsInput = hasSwitch(run, 'interactive')
  for (const index of new Set(run.flags.filter((f) => f.name === name).map((f) => f.index))) {
    const place = exec ? serverPath(server, 'args', index) : placeOfToken(config, index)
    const token = place ? String(valueAt(config.document, place)?.value ?? '') : ''
    if (!place || token === '') continue
    const without = token.startsWith('--') ? '' : token.replace(letter, '')
    if (without !== '' && without !== '-') edits.push({ path: place, value: without })
    else if (!keepsInput && edits.length === 0) edits.push({ path: place, value: '-i' })
    else removed.push({ path: place, value: undefined })
  }
  // From the end, so that the positions before stay right.
  const all = [...edits, ...removed.reverse()]
  return all.length === 0 ? [] : [{ kind: 'config-edit', class: 'safe', title, because, edits: all }]
}
