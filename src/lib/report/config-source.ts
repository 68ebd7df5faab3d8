/** The text of the configuration for diffs, secrets already out. */
import { configSecrets, makeRedactor, maskedConfig } from '../evidence/secrets.ts'
import { parseConfig, type ConfigDocument } from '../formats/mcp-config.ts'

interface Shown {
  sources: Record<string, string>
  mask: (line: string) => string
}

/** Edits go by path, so they can be shown on the masked text; `mask` is for the values that they bring. */
export const shownSource = (document: ConfigDocument): Shown => ({
  sources: { [document.path]: maskedConfig(document).text },
  mask: makeRedactor(configSecrets(document)),
})

export const configSource = (path: string, bytes: Buffer): Shown => shownSource(parseConfig(path, bytes))
