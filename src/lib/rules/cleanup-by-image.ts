/** A failing server with a docker command of its own makes MCPProxy stop every container of the same image. */
import { sameImage, withTag } from '../evidence/collect-engine.ts'
import { field, type LogLine } from '../formats/log-line.ts'
import { parseDockerRun } from '../formats/docker-run.ts'
import { isDockerCommand, isRemote } from '../mcpproxy/isolation.ts'
import { citeConfig, citeLog, citeStory } from './cite.ts'
import { grouped, oncePerFile, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

// Without the id of a container MCPProxy looks for the image (internal/upstream/core/docker.go, v0.60.0).
const killing = 'Killing matching Docker container'

export default defineRule({
  code: 'cleanup-by-image',
  severity: 'error',
  title: 'Another server with the same image fails, and the clean-up after it stops the container of this one',
  needs: ['config', 'events'],
  uses: ['mainLog', 'containers'],
  detect({ config, events }, { mainLog, containers }) {
    const { server, expected, servers } = config
    const image = expected?.kind === 'own' ? expected.run.image : null
    if (!server || image === null) return null
    const others = servers.filter((o) => {
      const theirs = isDockerCommand(o.command) && !isRemote(o) ? parseDockerRun(o.args).image : null
      return o.index !== server.index && o.enabled === true && theirs !== null && sameImage(theirs, image)
    })
    // A container that was told to stop; MCPProxy's own would carry its label.
    const stopped = events.stories.filter((s) => s.labels['com.mcpproxy.server'] === undefined && s.signals.length > 0 && s.diedAt !== null)
    const trail = (mainLog?.general ?? []).filter((l) => l.message === killing && others.some((o) => o.name === field(l, 'server')))
    const find = (l: LogLine) => stopped.find((s) => s.id.startsWith(field(l, 'container_id') ?? '-'))
    const line = trail.findLast((l) => find(l) !== undefined)
    const victim = line ? find(line) : undefined
    if (!line || !victim) return null
    const other = others.find((o) => o.name === field(line, 'server'))
    const back = containers?.some((c) => c.relation === 'image' && c.state === 'running') ?? false
    return {
      observations: ['mainLog', 'events', 'config'],
      proof: 'The log names the container that is stopped for the other server, and the engine recorded its end.',
      severity: back ? 'warning' : 'error',
      facts: { by: other?.name ?? null, image, container: victim.id.slice(0, 12) },
      cites: [
        citeConfig(config, serverPath(server, 'args', Math.max(0, server.args.indexOf(image)))),
        ...(other ? [citeConfig(config, serverPath(other, 'args', Math.max(0, parseDockerRun(other.args).imageIndex)))] : []),
        citeLog(line, `${line.message} ${victim.id.slice(0, 12)} (for ${other?.name ?? ''})`),
        citeStory(victim),
      ],
      detail: `"${other?.name ?? ''}" runs the same image and fails before MCPProxy knows its container; MCPProxy then stops all that run ${image}.`,
      remedies: [
        {
          kind: 'instruction',
          title: `Repair "${other?.name ?? 'the other server'}" first. To keep the two apart give one of them another tag of the image.`,
        },
      ],
    }
  },
  hint(config, { version }) {
    const { server, expected } = config
    const image = expected?.kind === 'own' ? expected.run.image : null
    if (!server || server.enabled !== true || image === null) return null
    const other = sharing(config, version.value)
      .get(withTag(image))
      ?.find((o) => o.index !== server.index)
    if (!other) return null
    return {
      observations: ['config'],
      severity: 'info',
      facts: { with: other.name, image },
      title: 'Another server runs the same image: if it fails, MCPProxy may stop the container of this one',
      cites: [server, other].map((s) => citeConfig(config, serverPath(s, 'args', parseDockerRun(s.args).imageIndex))),
      detail: `"${other.name}" runs ${image} too. If it fails before MCPProxy knows its container, MCPProxy stops all that run this image.`,
      remedies: [{ kind: 'instruction', title: 'Give one of the two another tag of the image.' }],
    }
  },
})

/** The enabled servers that start an image by a docker command of their own. */
const sharing = oncePerFile(({ servers }) =>
  grouped(
    servers.filter((s) => s.enabled === true && isDockerCommand(s.command) && !isRemote(s)),
    (s) => {
      const { image } = parseDockerRun(s.args)
      return image === null ? null : withTag(image)
    },
  ),
)
