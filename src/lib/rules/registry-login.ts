/** The registry refuses the pull: no login, a wrong one, or an expired one; or there is no such repository. */
import { pullRule } from './pull-rule.ts'

export default pullRule({
  code: 'registry-login',
  title: 'The registry refuses the pull: no login, a wrong or expired one, or no such repository',
  kinds: ['registry-login'],
  detail: () => 'A registry that hides what it does not have answers the same for a mistyped name.',
  remedy: 'Log in with docker login as the user that runs MCPProxy, or log out where an expired login blocks a public image.',
})
