/** See `debian.mjs`. */
export function installMissing(
  wanted: readonly { readonly debian: string; readonly files: readonly string[] }[],
  purpose: string,
): Promise<void>
