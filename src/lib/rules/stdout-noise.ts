/** What comes on standard output is not JSON-RPC, as far as a log tells: MCPProxy drops such lines without a word. */
import { field, type LogLine } from '../formats/log-line.ts'
import { isStdio } from '../formats/mcp-config.ts'
import { citeConfig, citeLog } from './cite.ts'
import { failure, programSaid, serverPath } from './helpers.ts'
import { defineRule } from './rule.ts'

// … invalid character 'ð' looking for beginning of value   (Go's encoding/json, in MCPProxy's own error)
const notJson = /invalid character .{1,8} (?:looking for beginning of value|in string literal)|failed to parse JSON-?RPC message/i

export default defineRule({
  code: 'stdout-noise',
  severity: 'error',
  title: 'The server prints things to standard output that are not JSON-RPC',
  only: 'failed',
  needs: ['config', 'serverLog'],
  detect({ config, serverLog }) {
    const attempt = failure(serverLog)
    const { server } = config
    if (!server || !attempt || !isStdio(server)) return null
    const own = attempt.lines.find((l) => notJson.test(ownError(l)))
    // A server that is itself a client of another one.
    const inner = programSaid(serverLog, 'stdout-not-json')?.line
    const line = own ?? inner
    if (!line) return null
    const quiet = /^npx(?:\.cmd)?$/.test(server.command) && !server.args.some((a) => a === '--quiet' || a === '-q')
    return {
      observations: ['serverLog'],
      facts: { by: own ? 'MCPProxy' : 'the server' },
      cites: [citeLog(line), ...(quiet ? [citeConfig(config, serverPath(server, 'args'))] : [])],
      detail:
        'A banner, a log or a line of npm or of a shell stands where answers are expected. That a line was not understood is certain; that no answer came because of it is not.',
      remedies: [
        {
          kind: 'instruction',
          title: `Let it log to standard error: the quiet option of the server${quiet ? ', npx --quiet' : ''}, or another release.`,
        },
      ],
    }
  },
})

/** The error that MCPProxy itself reports, without the lines of the server that it repeats. */
const ownError = (line: LogLine): string => (field(line, 'error') ?? '').replace(/recent stderr:[\s\S]*/, '')
