/** The folder of the package, from wherever the compiled tests lie; else the working directory. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function packageRoot(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && readFileSync(file, 'utf8').includes('"name": "mcpproxy-doctor"')) return folder
  }
  return process.cwd()
}
