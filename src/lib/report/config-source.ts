/** The text of the configuration for diffs, secrets already out. */
import { configSecrets, makeRedactor, maskedConfig } from '../evidence/secrets.ts'
import { parseConfig } from '../formats/mcp-config.ts'

/** Edits go by path, so they can be shown on the masked text; `mask` is for the values that they bring. */
export function configSource(path: string, bytes: Buffer): { sources: Record<string, string>; mask: (line: string) => string } {
  const document = parseConfig(path, bytes)
  return { sources: { [path]: maskedConfig(document).text }, mask: makeRedactor(configSecrets(document)) }
}
