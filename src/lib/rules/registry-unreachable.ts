/** The image is not on this machine and the engine cannot reach the registry. */
import { pullRule } from './pull-rule.ts'

export default pullRule({
  code: 'registry-unreachable',
  title: 'The image is not on this machine and the engine cannot reach the registry',
  kinds: ['registry-unreachable'],
  facts: (said) => ({ registry: said.subject, why: said.detail }),
  detail: (said) => `It is the engine, not the container, that has to reach ${said.subject ?? 'the registry'}.`,
  remedy: 'Name an image that is here, pull it another way, or repair DNS or the proxy of the engine.',
})
