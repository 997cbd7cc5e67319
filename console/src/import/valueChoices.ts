// The values that a cell of STATUS, ROLE, RANK or group can stand for.

import { useQuery } from '@connectrpc/connect-query';

import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';
import type { InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';
import type { Catalog } from '~/gen/userimport/v1/types_pb';
import { useSession } from '~/session/Session';

/** The organisation's catalog; undefined: it is not there yet, or the caller may not see it. */
export function useCatalog(): Catalog | undefined {
  const { organization, may } = useSession();
  const { data } = useQuery(
    DirectoryService.method.getCatalog,
    { organization },
    { enabled: may('users.read'), staleTime: 60_000 },
  );
  return data?.catalog;
}

export interface ValueChoice {
  readonly value: string;
  readonly label: string;
}

/** What a cell of the column can stand for. Without the catalog: what other cells of the file stand for. */
export function choicesOf(
  column: string,
  catalog: Catalog | undefined,
  { values }: Pick<InspectRosterResponse, 'values'>,
): readonly ValueChoice[] {
  const plain = (names: readonly string[]) => names.map((name) => ({ value: name, label: name }));
  if (column === 'STATUS') {
    return plain(['Active', 'Inactive']);
  }
  if (!catalog) {
    const seen = values.filter((one) => one.column === column && one.known).map((one) => one.becomes);
    return plain([...new Set(seen)]);
  }
  switch (column) {
    case 'ROLE':
      return plain(catalog.roles.map(({ name }) => name));
    case 'RANK':
      return plain(catalog.ranks.map(({ name }) => name));
    default:
      return catalog.groups
        .filter(({ active }) => active)
        .map(({ externalId, name }) => ({ value: externalId, label: `${externalId} (${name})` }));
  }
}
