/**
 * Workflow commands as the runner of GitHub Actions reads them from a line of output: `::name key=value,key=value::data`, with
 * its way of unescaping (actions/runner, ActionCommand.TryParseV2: %0D and %0A, in properties %3A and %2C too, and %25 last).
 */
export interface Annotation {
  command: string
  properties: Record<string, string>
  message: string
}

/** Null: the line is no command. */
export function readAnnotation(line: string): Annotation | null {
  const text = line.trimStart()
  const end = text.startsWith('::') ? text.indexOf('::', 2) : -1
  if (end < 0) return null
  const head = text.slice(2, end)
  const space = head.indexOf(' ')
  const list =
    space < 0
      ? []
      : head
          .slice(space + 1)
          .split(',')
          .filter((p) => p.trim() !== '')
  const properties = list.flatMap((pair) => {
    const at = pair.indexOf('=')
    return at < 0
      ? []
      : [
          [
            pair.slice(0, at),
            unescapeData(
              pair
                .slice(at + 1)
                .replaceAll('%3A', ':')
                .replaceAll('%2C', ','),
            ),
          ] as const,
        ]
  })
  return {
    command: space < 0 ? head : head.slice(0, space),
    properties: Object.fromEntries(properties),
    message: unescapeData(text.slice(end + 2)),
  }
}

const unescapeData = (text: string): string => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
