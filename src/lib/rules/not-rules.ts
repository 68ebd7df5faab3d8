/** Known ways to fail that have no rule, with the reason. The catalogue of findings names them; no rule may have such a code. */
export const notRules: Readonly<Record<string, string>> = {
  'npx-windows-pipe':
    'A npx that hangs on a pipe of Windows leaves nothing in any log that tells it from another silent server, and MCPProxy starts host commands through cmd /c already: only two replays on that machine can show it.',
}
