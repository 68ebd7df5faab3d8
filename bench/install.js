/** Two installations from npm's cache: of the packed package, and of the six libraries that it is made with. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const six = ['@oclif/core', 'dockerode', 'chalk', 'ora', 'execa', 'fast-glob']

/** `folder`: for both, new. Sides for `compare`; each begins in an empty folder. The first round fills npm's cache and does not count. */
export function installed(root, folder) {
  fs.mkdirSync(folder)
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const packed = execFileSync(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root, encoding: 'utf8' })
  const file = path.join(folder, JSON.parse(packed)[0].filename)
  const { devDependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  const side = (name, what) => {
    const into = path.join(folder, name)
    return {
      argv: [npm, 'install', '--prefix', into, '--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier', ...what],
      before: () => {
        fs.rmSync(into, { recursive: true, force: true })
        fs.mkdirSync(into)
      },
    }
  }
  return {
    ours: side('package', [file]),
    theirs: side(
      'libraries',
      six.map((name) => `${name}@${devDependencies[name]}`),
    ),
  }
}
