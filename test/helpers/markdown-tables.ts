/** Tables of GitHub's Markdown: a `|` ends a cell, also in code, unless a backslash stands before it. */
import assert from 'node:assert/strict'

export interface MarkdownRow {
  cells: string[]
}

/** The rows of all tables without their heads; fails where a row has another number of cells, or where HTML is not ours. */
export function markdownRows(text: string): MarkdownRow[] {
  const rows: MarkdownRow[] = []
  let columns = 0
  for (const line of text.split('\n')) {
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/, JSON.stringify(line))
    // Tags are ours; code in backticks holds whatever it holds.
    const outside = line.replace(/`[^`]*`/g, '').replace(/<\/?code>/g, '')
    assert.doesNotMatch(outside, /<[a-z!/?]/i, line)
    if (!line.startsWith('|')) {
      columns = 0
      continue
    }
    const cells = cellsOf(line)
    if (columns === 0) columns = cells.length
    assert.equal(cells.length, columns, line)
    if (!cells.every((c) => /^-+$/.test(c))) rows.push({ cells })
  }
  return rows.filter((row, i) => i > 0 && row.cells[1] !== 'place')
}

function cellsOf(line: string): string[] {
  const cells: string[] = []
  let cell = ''
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\' && i + 1 < line.length) cell += line.slice(i, ++i + 1)
    else if (line[i] === '|') {
      cells.push(cell.trim())
      cell = ''
    } else cell += line[i] ?? ''
  }
  assert.equal(cell.trim(), '', line)
  return cells.slice(1)
}
