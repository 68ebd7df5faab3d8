/** The formats in which results can be had, and the files that are to hold them. */
import { nearest, UserError } from '../errors.ts'
import type { ResultOptions, Results } from './results.ts'

export const formats = ['text', 'json', 'sarif', 'junit', 'github', 'markdown'] as const
export type Format = (typeof formats)[number]
/** Those that look the same for every command. */
export type ResultFormat = Exclude<Format, 'text' | 'json'>

/** `FORMAT=FILE` of each; a UserError says what is wrong with one. */
export function parseOutputs(outputs: readonly string[]): { format: Format; file: string }[] {
  return outputs.map((output) => {
    const at = output.indexOf('=')
    const [name, file] = at < 0 ? [output, ''] : [output.slice(0, at), output.slice(at + 1)]
    const format = formats.find((f) => f === name)
    const near = nearest(name, formats)
    if (!format)
      throw new UserError(`--output ${output}: there is no format "${name}".`, [
        near === undefined ? `There are ${formats.join(', ')}.` : `Did you mean ${near}=${file || 'FILE'}?`,
      ])
    if (file === '') throw new UserError(`--output ${output} names no file.`, [`Write it as ${format}=FILE.`])
    return { format, file }
  })
}

export async function renderResults(format: ResultFormat, results: Results, options: ResultOptions): Promise<string> {
  switch (format) {
    case 'sarif':
      return (await import('./sarif.ts')).renderSarif(results, options)
    case 'junit':
      return (await import('./results-junit.ts')).renderResultsJunit(results)
    case 'github':
      return (await import('./github.ts')).renderGithub(results)
    case 'markdown':
      return (await import('./markdown.ts')).renderMarkdown(results, options)
  }
}
