/**
 * Finds files that import each other in a circle: `node scripts/cycles.js [FOLDER]` (src by default).
 * Prints each circle and exits 1. Types count too: two files that need each other's types are hard to read apart.
 */
import fs from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

const folder = process.argv[2] ?? 'src'

/** What a file imports from files beside it, also by `import()` and `export … from`. */
function importsOf(file) {
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const found = []
  const visit = (node) => {
    const name =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined
    if (name && ts.isStringLiteral(name) && name.text.startsWith('.')) found.push(path.join(path.dirname(file), name.text))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const files = fs
  .readdirSync(folder, { recursive: true })
  .map((name) => path.join(folder, name))
  .filter((name) => name.endsWith('.ts'))
const graph = new Map(files.map((file) => [file, importsOf(file)]))

const circles = []
const done = new Set()
function walk(file, trail) {
  const at = trail.indexOf(file)
  if (at >= 0) circles.push([...trail.slice(at), file])
  if (at >= 0 || done.has(file)) return
  for (const next of graph.get(file) ?? []) walk(next, [...trail, file])
  done.add(file)
}
for (const file of files) walk(file, [])

for (const circle of circles) console.error(`A circle of imports: ${circle.join(' → ')}`)
if (files.length === 0) console.error(`No files in ${folder}`)
if (circles.length > 0 || files.length === 0) process.exitCode = 1
