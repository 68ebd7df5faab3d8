import type { Report } from '../report/report.ts'
import type { System } from '../system/system.ts'

export interface CheckOptions {
  servers: string[]
  all: boolean
  /** Milliseconds for everything together. */
  timeoutMs: number
  /** Called as things happen, for progress on stderr. */
  progress?: (text: string) => void
}

export async function check(_system: System, _options: CheckOptions): Promise<Report> {
  throw new Error('under construction')
}
