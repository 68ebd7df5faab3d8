/** Where MCPProxy's logs are as long as nothing says otherwise (internal/logs/paths.go). */
import path from 'node:path'

export interface LogFolderInput {
  platform: string
  home: string
  uid: number | null
  cwd: string
  env: Record<string, string | undefined>
  flags: { logDir?: string | undefined }
}

/** Where they are as long as neither a process nor a configuration says otherwise: known at once. */
export function likelyLogs({ platform, home, uid, cwd, env, flags }: LogFolderInput): string {
  const paths = platform === 'win32' ? path.win32 : path.posix
  return flags.logDir === undefined ? standardLogs(platform, home, uid, env) : absolutePath(paths, home, flags.logDir, cwd)
}

export function standardLogs(platform: string, home: string, uid: number | null, env: Record<string, string | undefined>): string {
  if (platform === 'darwin') return path.posix.join(home, 'Library/Logs/mcpproxy')
  if (platform === 'win32') return path.win32.join(env['LOCALAPPDATA'] || path.win32.join(home, 'AppData', 'Local'), 'mcpproxy', 'logs')
  if (platform !== 'linux') return path.posix.join(home, '.mcpproxy/logs')
  // Root: there, whatever HOME is.
  if (uid === 0) return '/var/log/mcpproxy'
  return path.posix.join(env['XDG_STATE_HOME'] || path.posix.join(home, '.local/state'), 'mcpproxy/logs')
}

/** MCPProxy knows `~` itself. */
export const absolutePath = (paths: path.PlatformPath, home: string, name: string, from: string): string =>
  paths.resolve(from, /^~[/\\]/.test(name) ? paths.join(home, name.slice(2)) : name)
