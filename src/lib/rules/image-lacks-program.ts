/** The image does not contain the program that is to be run in it. */
import type { ConfigEvidence } from '../evidence/evidence.ts'
import type { ConfigPath } from '../formats/mcp-config.ts'
import { baseName, builtInImages, detectRuntime, stockImage } from '../mcpproxy/images.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { Remedy } from '../remedies/remedy.ts'
import { neverStarted } from '../formats/engine-events.ts'
import { citeConfig, citeEngine, citeLog, citeStory } from './cite.ts'
import { dockerFailure, effectiveRun, imageHas, imagePlace, programSaid, story } from './helpers.ts'
import { replacesProgram } from './entrypoint-args.ts'
import { isHostFile } from './host-path-not-mounted.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'image-lacks-program',
  severity: 'error',
  title: 'The image does not contain the program that is to be run in it',
  only: 'not-connected',
  needs: ['config'],
  uses: ['serverLog', 'events', 'image', 'setup', 'hostPaths'],
  detect({ config }, { serverLog, events, image, setup, hostPaths }, { version }) {
    const run = effectiveRun(config, setup)
    if (!run) return null
    const said = dockerFailure(serverLog, 'exec-not-found', 'exec-path-missing')
    // The entry point of node images hands an unknown word to node: Cannot find module '/uvx'.
    const byNode = programSaid(serverLog, 'script-missing')
    const first = run.command[0] ?? ''
    const handed = byNode?.subject != null && baseName(byNode.subject) === first && !first.includes('/') ? byNode : null
    // sh -c "node …": only what the command itself names; what a package calls is another rule's.
    const inner = programSaid(serverLog, 'shell-not-found')
    const shell = inner?.subject != null && story(events)?.startedAt != null && names(run.command, inner.subject) ? inner : null
    const program = said?.subject ?? (handed ? first : null) ?? shell?.subject ?? (serverLog?.failed ? null : first)
    if (!program || program === 'docker' || program.startsWith('-')) return null
    if (said?.kind === 'exec-path-missing' && isHostFile(hostPaths, program)) return null
    if (!run.isolated && replacesProgram(image, program)) return null
    const has = imageHas(image, program)
    if (!said && !handed && !shell && has !== false) return null
    if (has === true && !said) return null
    const s = story(events)
    const index = run.runArgs.length - 1
    const place = imagePlace(config)
    const signature = s !== null && (neverStarted(s) || (shell !== null && s.exitCode === 127))
    return {
      observations: [
        ...(said ? (['serverLog'] as const) : handed || shell ? (['serverLog'] as const) : []),
        ...(signature ? (['events'] as const) : []),
        ...(has === false ? (['image'] as const) : []),
      ],
      ...((said && signature) || ((said || handed) && has === false)
        ? {
            proof:
              has === false
                ? "None of the folders on the image's PATH has it."
                : 'The container was created and removed without ever starting.',
          }
        : {}),
      facts: { program, image: run.run.image ?? run.runArgs[index] ?? null },
      title: `The image has no ${program}`,
      cites: [
        ...(place ? [citeConfig(config, place)] : []),
        ...(said ? [citeLog(said.line)] : handed ? [citeLog(handed.line)] : shell ? [citeLog(shell.line)] : []),
        ...(s ? [citeStory(s)] : []),
        ...(has === false ? [citeEngine('image', `${image?.reference ?? ''} has no ${program} on its PATH`)] : []),
      ],
      detail: `${run.run.image ?? 'The image'} does not contain "${program}".`,
      remedies: [
        ...ownImageOff(config, place, version.value, program),
        {
          kind: 'instruction',
          title:
            "Use an image that has it: MCPProxy's present default of the runtime (since v0.24.0 an image with uv, and node:22), or isolation.image of your own.",
        },
      ],
    }
  },
  hint(config) {
    const { server, expected } = config
    const image = expected?.run.image ?? ''
    const program = expected?.command[0] ?? ''
    const family = stockImage(image)
    if (!server || expected?.kind !== 'isolated' || !family) return null
    const lacks = program === 'uvx' || (['node', 'npm', 'npx', 'yarn'].includes(program) && family !== 'node')
    const place = imagePlace(config)
    if (!lacks || !place) return null
    return {
      observations: ['config'],
      severity: 'error',
      facts: { program, image },
      title: `The image has no ${program}`,
      cites: [citeConfig(config, place)],
      detail: `${image} does not contain "${program}".`,
      remedies: [{ kind: 'instruction', title: `Use an image that has ${program}, or MCPProxy's own default for it.` }],
    }
  },
})

/** Does a shell line of the command call this program? */
const names = (command: readonly string[], program: string): boolean =>
  command.some((word, i) => i > 0 && word.split(/[\s;&|()]+/).includes(program) && /^-\w*c$/.test(command[i - 1] ?? ''))

/** MCPProxy's own image of the runtime has its program; it counts where nothing else is configured. */
function ownImageOff(config: ConfigEvidence, place: ConfigPath | null, version: Version, program: string): Remedy[] {
  const command = config.server?.command ?? ''
  const runtime = detectRuntime(command)
  const own = builtInImages(version)[runtime]
  // pipx is run as pip, and bash and unknown programs get an Alpine that has neither.
  if (!place || !own || ['binary', 'bash', 'pipx'].includes(runtime) || program !== config.expected?.command[0]) return []
  const image = config.expected.run.image ?? ''
  if (!stockImage(image) || image.endsWith(own)) return []
  return [
    {
      kind: 'config-edit',
      class: 'safe',
      title:
        place[0] === 'docker_isolation' ? `Take the image for ${runtime} out of default_images` : 'Take isolation.image out of this server',
      because: `MCPProxy then uses its own image for ${runtime}, ${own}`,
      edits: [{ path: place, value: undefined }],
    },
  ]
}
