/** Server and MCPProxy do not share an MCP protocol version. */
import { citeLog } from './cite.ts'
import { failure, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'protocol-version',
  severity: 'error',
  title: 'Server and MCPProxy do not share an MCP protocol version',
  only: 'failed',
  needs: ['serverLog'],
  detect({ serverLog }) {
    const said = programSaid(serverLog, 'protocol-version')
    const error = failure(serverLog)
    const line = said?.line ?? (/unsupported protocol version/i.test(error?.error ?? '') ? error?.errorLine : null)
    return line
      ? {
          observations: ['serverLog'],
          facts: {},
          cites: [citeLog(line)],
          detail: 'MCPProxy offers 2025-11-25 and takes that and three older ones.',
          remedies: [{ kind: 'instruction', title: 'Upgrade the older side, or pin the server.' }],
        }
      : null
  },
})
