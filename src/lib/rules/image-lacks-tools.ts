/** The image lacks a tool or library that the package needs. */
import { baseName } from '../mcpproxy/images.ts'
import { citeEngine, citeLog } from './cite.ts'
import { effectiveRun, imageHas, programSaid, story } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'image-lacks-tools',
  severity: 'error',
  title: 'The image lacks a tool or library that the package needs',
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'events', 'image'],
  detect({ config, serverLog }, { setup, events, image }) {
    const run = effectiveRun(config, setup)
    const said = programSaid(serverLog, 'tool-missing', 'library-missing', 'spawn-missing', 'shell-not-found')
    // docker has rules of its own, and so have the programs that the command names.
    const program =
      said?.subject == null || said.kind === 'library-missing' || said.subject.includes('/') ? null : said.subject.toLowerCase()
    if (!run || !said || baseName(said.subject ?? '') === 'docker') return null
    const byShell = said.kind === 'shell-not-found'
    // npx starts its package through a shell: there the package has no such program.
    if (
      byShell &&
      (story(events)?.startedAt == null || runsPackage(run.command) || run.command.some((w) => w.includes(said.subject ?? '')))
    )
      return null
    const absent = program !== null && imageHas(image, program) === false
    return {
      observations: ['serverLog', ...(absent ? (['image'] as const) : [])],
      facts: { what: said.subject, image: run.run.image },
      cites: [citeLog(said.line), ...(absent ? [citeEngine('image', `${image?.reference ?? ''} has no ${program} on its PATH`)] : [])],
      detail: `${said.subject ?? 'What it needs'} is not in ${run.run.image ?? 'the image'}. Slim and Alpine images have no git, compiler, browser or their libraries.`,
      remedies: [
        {
          kind: 'instruction',
          title: 'Use a fuller image in isolation.image (not slim, glibc instead of Alpine), or the image of the publisher.',
        },
      ],
    }
  },
})

const runsPackage = (command: readonly string[]): boolean => ['npx', 'npm', 'yarn'].includes(baseName(command[0] ?? ''))
