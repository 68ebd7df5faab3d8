/** The client in front gives up before MCPProxy or the server does. */
import { field } from '../formats/log-line.ts'
import { citeLog } from './cite.ts'
import { failure } from './helpers.ts'
import { defineRule } from './rule.ts'

// Connection to MCP server "x" timed out after 30000ms
// Connection failed after 60031ms: MCP error -32001: Request timed out
const gaveUp = /timed out after (?:30|60)000 ?ms|Connection failed after (?:30|60)\d{3} ?ms|MCP error -32001: Request timed out/i

export default defineRule({
  code: 'client-timeout',
  severity: 'info',
  title: 'The client gives up before the server answers',
  needs: ['mainLog'],
  uses: ['serverLog'],
  detect({ mainLog }, { serverLog }) {
    // The client went away in the middle of a call; MCPProxy's own limit (call_tool_timeout) would be a deadline.
    const calls = mainLog.lines.filter(
      (l) => l.message.startsWith('Tool call canceled/deadline by caller') && /cancell?ed/.test(field(l, 'error') ?? ''),
    )
    // A server that is a client itself, e.g. a bridge to a remote one.
    const said = failure(serverLog)?.stderr.find((l) => gaveUp.test(field(l, 'message') ?? ''))
    const line = calls.at(-1) ?? said
    if (!line) return null
    return {
      observations: [line === said ? 'serverLog' : 'mainLog'],
      facts: { calls: calls.length, tool: calls.length > 0 ? field(line, 'tool') : null },
      cites: [citeLog(line)],
      detail:
        line === said
          ? 'A program that is itself an MCP client ran into its own limit, usually 30 or 60 s.'
          : `${calls.length} tool ${calls.length === 1 ? 'call was' : 'calls were'} broken off by the client. People do that too; clients do it after 30 or 60 s, while MCPProxy waits 2 minutes.`,
      remedies: [
        {
          kind: 'instruction',
          title: 'Keep the server warm, and raise the limit of the client where it has one (MCP_TIMEOUT, MCP_TOOL_TIMEOUT in Claude Code).',
        },
      ],
    }
  },
})
