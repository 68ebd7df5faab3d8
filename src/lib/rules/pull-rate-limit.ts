/** The registry refuses the pull because too many were made from this address. */
import { pullRule } from './pull-rule.ts'

export default pullRule({
  code: 'pull-rate-limit',
  title: 'The registry refuses the pull because too many were made from this address',
  kinds: ['rate-limit'],
  detail: () => 'The image is not on this engine, and the quota of the registry is used up.',
  remedy: 'Log in, use a mirror, or pull later; pin the image by digest.',
})
