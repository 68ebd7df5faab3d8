/** The per-server log, read as attempts to connect. */
import { field, type LogLine } from '../formats/log-line.ts'
import type { Attempt } from './evidence.ts'

const deadline = /deadline exceeded|did not respond to MCP initialize|handshake timeout/i
const closed = /transport closed|exited before completing|EOF|broken pipe|file already closed/i
const refusal =
  /has no args|no command specified|invalid working directory|working directory does not exist|failed to start stdio client|not found on the spawn PATH/i

/** `lines`: of one server, oldest first. Lines before the first attempt belong to none. */
export function readAttempts(lines: readonly LogLine[]): Attempt[] {
  const attempts: Attempt[] = []
  let open: Attempt | null = null
  for (const line of lines) {
    if (line.message === 'Starting connection attempt' || (open && beginsUnseen(open, line))) {
      open = {
        startedAt: line.at,
        endedAt: null,
        lines: [],
        stderr: [],
        isolated: null,
        outcome: 'pending',
        error: null,
        errorLine: null,
        durationMs: null,
        closedAfterConnect: null,
        connectedAt: null,
        disconnectedAt: null,
      }
      attempts.push(open)
    }
    if (!open) continue
    open.lines.push(line)
    addLine(open, line)
  }
  for (const attempt of attempts) {
    const end = attempt.endedAt
    attempt.durationMs = end ? end.getTime() - attempt.startedAt.getTime() : null
  }
  return attempts
}

/**
 * Two clients of one server write to one file, and a first line can be lost in the middle of
 * another: a second container, or the end of a handshake after the disconnect, is a new attempt.
 */
function beginsUnseen(open: Attempt, line: LogLine): boolean {
  if (line.message === 'Docker isolation configured')
    return open.isolated !== null && open.isolated.containerName !== (field(line, 'container_name') ?? '')
  const handshakeEnds =
    line.message === 'MCP initialize JSON-RPC call failed' || line.message === 'MCP initialization completed successfully'
  return handshakeEnds && open.disconnectedAt !== null && line.at.getTime() > open.disconnectedAt.getTime()
}

function addLine(a: Attempt, line: LogLine): void {
  switch (line.message) {
    case 'Docker isolation configured':
      a.isolated = {
        runtimeType: field(line, 'runtime_type') ?? '',
        containerName: field(line, 'container_name') ?? '',
        containerCommand: field(line, 'container_command') ?? '',
      }
      return
    case 'stderr':
      a.stderr.push(line)
      return
    case 'stderr stream closed':
      // Of releases before v0.33.2 this line, not the error, tells that the process ended early.
      if (a.connectedAt) a.closedAfterConnect ??= line
      else if (a.outcome === 'pending') {
        a.outcome = 'exited'
        a.endedAt = line.at
      }
      return
    case 'MCP initialization completed successfully':
    case 'Successfully connected and initialized':
      a.outcome = 'connected'
      a.connectedAt ??= line.at
      a.endedAt = null
      return
    case 'Disconnecting from server':
      if (line.fields['was_connected'] === true && a.connectedAt) a.disconnectedAt ??= line.at
      return
    case 'MCP initialize JSON-RPC call failed':
      addFailure(a, line, field(line, 'error') ?? '')
      return
    case 'Connection failed':
    case 'Server startup failed due to invalid working directory':
      addFailure(a, line, field(line, 'error') ?? '')
      a.errorLine = line
      a.error = (field(line, 'error') ?? '').replace(/; recent stderr:[\s\S]*?(?=: transport error|$)/, '')
      return
    default:
  }
}

function addFailure(a: Attempt, line: LogLine, error: string): void {
  if (a.connectedAt) return
  a.errorLine ??= line
  a.error ??= error
  if (a.outcome !== 'pending') return
  a.outcome = deadline.test(error)
    ? 'no-answer'
    : refusal.test(error)
      ? 'refused'
      : closed.test(error) || a.stderr.length > 0
        ? 'exited'
        : 'refused'
  a.endedAt = line.at
}

/** The newest attempt that failed, unless a later one connected. */
export function newestFailure(attempts: readonly Attempt[]): Attempt | null {
  for (const attempt of [...attempts].reverse()) {
    if (attempt.outcome === 'connected') return null
    if (attempt.outcome !== 'pending') return attempt
  }
  return null
}
