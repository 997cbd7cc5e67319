import type { Import } from '~/gen/userimport/v1/import_service_pb';
import { importTitle } from '~/imports/importWords';

/** The imports whose title has the text, or whose ID begins with it; none for fewer than two letters. */
export function findImports<T extends Pick<Import, 'importId' | 'source' | 'undoes'>>(
  imports: readonly T[],
  text: string,
  most: number,
): T[] {
  const wanted = text.toLowerCase();
  if (wanted.length < 2) {
    return [];
  }
  const isWanted = (one: T) =>
    one.importId.startsWith(wanted) || importTitle(one).toLowerCase().includes(wanted);
  return imports.filter(isWanted).slice(0, most);
}
