/** The same pattern without what stands around it, and without names of groups: what texts can be made from. */
export const bare = ({ source, flags }: RegExp): RegExp =>
  new RegExp(
    source
      .replace(/\(\?<?[!=](?:\[[^\]]*\]|[^()[\]])*\)/g, '')
      .replaceAll('(?<secret>', '(?:')
      .replaceAll(/\\b/g, ''),
    flags.replace(/[gi]/g, ''),
  )
