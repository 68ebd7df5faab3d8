/** The image or the tag does not exist, or the name is not a valid reference. */
import { pullRule } from './pull-rule.ts'

export default pullRule({
  code: 'image-unknown',
  title: 'The image or its tag does not exist, or its name is not valid',
  kinds: ['image-unknown', 'reference-invalid'],
  detail: (said) =>
    said.kind === 'reference-invalid'
      ? `docker cannot read the name${said.detail ? `: ${said.detail}` : ''}.`
      : 'The registry was asked and does not have it.',
  remedy: 'Name an image and a tag that exist.',
})
