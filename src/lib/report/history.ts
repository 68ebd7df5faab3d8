/** Since when a server fails, as the logs tell it. */

export interface HistoryMoment {
  /** ISO 8601. */
  at: string
  file: string | null
  line: number | null
}

export interface HistoryChange {
  /** e.g. `--memory`, `MCPProxy`, `the configuration was written last` */
  what: string
  before: string | null
  after: string | null
  /** When it was seen, ISO 8601. */
  at: string | null
  file: string | null
  line: number | null
}

export interface ServerHistory {
  /** The oldest attempt in the logs that were read. */
  oldest: string | null
  /** The logs were read to their beginning; what came before is not known all the same: old ones are deleted. */
  complete: boolean
  /** Null: the logs that were read hold none. */
  lastSuccess: HistoryMoment | null
  /** After the last success; null: it has not failed since. */
  firstFailure: HistoryMoment | null
  /** The first failure was an end while it was connected. */
  endedWhileConnected: boolean
  /** Failed attempts since then. */
  failures: number
  /** What changed between the two, in the order of time. Not the cause: what is known to have changed. */
  changes: HistoryChange[]
  /** What could not be read. */
  unread: string[]
}
