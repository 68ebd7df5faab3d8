/**
 * ESLint rule: the import directions of the house (docs/architecture.md).
 * Types may be imported from anywhere, values only along the arrows, also by `import()`.
 */
import path from 'node:path'

/** Folder of src/lib → the folders whose values it may import. Its own is always allowed. */
const allowed = {
  formats: [],
  mcpproxy: ['formats'],
  system: ['formats'],
  evidence: ['formats', 'mcpproxy'],
  rules: ['formats', 'mcpproxy', 'evidence'],
  remedies: ['formats', 'mcpproxy', 'evidence', 'rules'],
  replay: ['formats', 'mcpproxy', 'evidence', 'rules', 'remedies', 'system'],
  report: ['formats', 'mcpproxy', 'evidence', 'rules', 'remedies'],
  workflow: ['formats', 'mcpproxy', 'evidence', 'rules', 'remedies', 'replay', 'report', 'system'],
  // Files directly in src/lib (errors, start, progress) serve all layers.
  lib: ['report'],
  commands: ['formats', 'mcpproxy', 'evidence', 'rules', 'remedies', 'replay', 'report', 'workflow'],
}

/** Files that may do more than their folder. Collectors are where evidence meets the system. */
const wider = [
  { file: /^src\/lib\/evidence\/collect[^/]*\.ts$/, layers: ['system'] },
  { file: /^src\/lib\/base-command\.ts$/, layers: ['evidence', 'system'] },
  { file: /^src\/lib\/early\.ts$/, layers: ['mcpproxy', 'system'] },
]

/** What opens files, connections or processes: for src/lib/system only. */
const io =
  /^(?:node:)?(?:fs|fs\/promises|child_process|net|http|https|http2|tls|dgram|dns|dns\/promises|cluster|worker_threads)$|^(?:dockerode|execa|fast-glob)$/

/** `src/lib/rules/x.ts` → `rules`; files directly in src/lib (errors.ts, progress.ts) → `lib`; null: not ours. */
function layerOf(file) {
  if (file.startsWith('src/commands/')) return 'commands'
  const [, folder, rest] = /^src\/lib\/([^/]+)(\/.*)?$/.exec(file) ?? []
  if (folder === undefined) return null
  return rest === undefined ? 'lib' : folder
}

/** Why `file` may not import a value from `source`; null: it may. Both files relative to the package, with `/`. */
function refusal(file, source) {
  const from = layerOf(file)
  if (from === null) return null
  if (!source.startsWith('.')) {
    return io.test(source) && from !== 'system' ? `"${source}" does IO: only src/lib/system may import it.` : null
  }
  const to = layerOf(path.posix.join(path.posix.dirname(file), source))
  if (to === from || to === 'lib' || to === null) return null
  if (!(from in allowed)) return `src/lib/${from} has no place in the import directions: give it one in scripts/imports-rule.js.`
  const extra = wider.find((w) => w.file.test(file))?.layers ?? []
  if ([...allowed[from], ...extra].includes(to)) return null
  return `${from} may not import values from ${to}: the directions are in docs/architecture.md.`
}

export default {
  meta: { type: 'problem', schema: [], messages: { refused: '{{why}}' } },
  create(context) {
    const file = path.relative(context.cwd, context.filename).replaceAll(path.sep, '/')
    const check = (node, source) => {
      const why = typeof source === 'string' ? refusal(file, source) : null
      if (why !== null) context.report({ node, messageId: 'refused', data: { why } })
    }
    const onlyTypes = (node, kind, specifiers) =>
      node[kind] === 'type' || (specifiers.length > 0 && specifiers.every((s) => s[kind] === 'type'))
    return {
      ImportDeclaration(node) {
        if (!onlyTypes(node, 'importKind', node.specifiers)) check(node.source, node.source.value)
      },
      ExportNamedDeclaration(node) {
        if (node.source && !onlyTypes(node, 'exportKind', node.specifiers)) check(node.source, node.source.value)
      },
      ExportAllDeclaration(node) {
        if (node.exportKind !== 'type') check(node.source, node.source.value)
      },
      ImportExpression(node) {
        check(node.source, node.source.value)
      },
    }
  },
}
