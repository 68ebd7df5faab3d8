/** The same pattern without what stands around it, and without names of groups: what texts can be made from. */
export const bare = ({ source, flags }: RegExp): RegExp =>
  new RegExp(
    source
      // What is looked ahead for and then taken whole is there once.
      .replace(/\(\?=\(\?<(\w+)>((?:\[[^\]]*\]|[^()[\]])*)\)\)\\k<\1>/g, '(?:$2)')
      .replace(/\(\?<?[!=](?:\[[^\]]*\]|[^()[\]])*\)/g, '')
      .replaceAll('(?<secret>', '(?:')
      .replaceAll(/\\b/g, ''),
    flags.replace(/[gi]/g, ''),
  )
