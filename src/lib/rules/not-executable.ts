/** The program is there but cannot be executed. */
import { citeLog, citeStory } from './cite.ts'
import { dockerFailure, effectiveRun, programSaid, story } from './helpers.ts'
import { defineRule } from './rule.ts'

/** Is this the name of a script, as opposed to a compiled program? */
export const isScript = (program: string | null): boolean => /\.(?:sh|bash|py|js|mjs|cjs|ts|rb|pl|php)$/.test(program ?? '')

export default defineRule({
  code: 'not-executable',
  severity: 'error',
  title: 'The program is there but cannot be executed: no x bit, a folder, Windows line ends, or no interpreter line',
  only: 'failed',
  needs: ['serverLog'],
  uses: ['config', 'setup', 'events'],
  detect({ serverLog }, { config, setup, events }) {
    const said = dockerFailure(serverLog, 'exec-denied', 'interpreter-missing', 'exec-format')
    const ends = said ? null : programSaid(serverLog, 'carriage-return')
    const s = story(events)
    // The entry point of node images hands a file that it cannot execute to node, which reads it as JavaScript.
    const command = effectiveRun(config, setup)?.command[0] ?? ''
    const read = !said && /\.(?:sh|bash|py)$/.test(command) ? programSaid(serverLog, 'syntax-error') : null
    if (read)
      return {
        observations: ['serverLog', 'config'],
        facts: { program: command },
        cites: [citeLog(read.line), ...(s ? [citeStory(s)] : [])],
        detail: `${command} was read as JavaScript: the image cannot execute it, and hands it to node instead.`,
        remedies: [
          { kind: 'instruction', title: 'Repair the script (chmod +x, LF line ends, a #! line), or start it with its interpreter.' },
        ],
      }
    if (ends)
      return {
        observations: ['serverLog', ...(s && s.exitCode !== 0 ? (['events'] as const) : [])],
        facts: { program: ends.subject },
        cites: [citeLog(ends.line), ...(s ? [citeStory(s)] : [])],
        detail: `A script asks for "${ends.subject ?? ''}" with a carriage return behind the name: its lines end as on Windows (CR LF).`,
        remedies: [
          { kind: 'instruction', title: 'Save the script with LF line ends and build the image again (git: "* text=auto eol=lf").' },
        ],
      }
    if (!said) return null
    return {
      observations: ['serverLog', ...(s && (s.startedAt === null || s.exitCode !== 0) ? (['events'] as const) : [])],
      // Of a program that is no script the same text means another processor.
      ...(said.kind === 'exec-format' && !isScript(said.subject) ? { rank: 'suspected' as const } : {}),
      facts: { program: said.subject },
      cites: [citeLog(said.line), ...(s ? [citeStory(s)] : [])],
      detail: `${said.subject ?? 'It'}: ${said.kind === 'exec-denied' ? 'not executable, or a folder' : said.kind === 'exec-format' ? 'no interpreter line, or a program for another processor' : 'its interpreter does not exist (often a CR at the end of the first line)'}.`,
      remedies: [
        { kind: 'instruction', title: 'Repair the script (chmod +x, LF line ends, a #! line), or start it with its interpreter.' },
      ],
    }
  },
})
