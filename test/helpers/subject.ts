/** The evidence of a capture about one server, and what the rules make of it. */
import { join } from 'node:path'
import { collectServers, collectShared } from '../../src/lib/evidence/collect.ts'
import type { Subject } from '../../src/lib/evidence/evidence.ts'
import type { ServerReport } from '../../src/lib/report/report.ts'
import { openCapture } from '../../src/lib/system/recorded.ts'
import { serverReport } from '../../src/lib/workflow/check.ts'
import { packageRoot } from './package-root.ts'

export async function subjectOf(capture: string, server: string): Promise<{ subject: Subject; report: ServerReport }> {
  const system = await openCapture(join(packageRoot(), 'test/captures', capture))
  try {
    const shared = await collectShared(system, Date.now() + 20_000)
    const { subjects } = await collectServers(shared, [server])
    const [subject] = subjects
    if (!subject) throw new Error(`no evidence about ${server} in ${capture}`)
    return { subject, report: serverReport(subject) }
  } finally {
    await system.close()
  }
}
