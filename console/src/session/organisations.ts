// The organisations that a caller may see.

import type { CallOptions, Client } from '@connectrpc/connect';

import type { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';

export interface Organisation {
  readonly slug: string;
  readonly displayName: string;
}

export interface Organisations {
  /** By slug. */
  readonly list: readonly Organisation[];
  /** False: there are more than the page reads. */
  readonly isWhole: boolean;
}

/** The server gives at most 1,000 on a page. */
const PAGES = 20;

/** Reads all organisations, or the first 20,000. */
export async function readOrganisations(
  directory: Pick<Client<typeof DirectoryService>, 'listOrganizations'>,
  options: CallOptions = {},
): Promise<Organisations> {
  const list: Organisation[] = [];
  let pageToken = '';
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await directory.listOrganizations({ pageSize: 1000, pageToken }, options);
    list.push(
      ...answer.organizations.map((one) => ({ slug: one.organization, displayName: one.displayName })),
    );
    pageToken = answer.nextPageToken;
    if (!pageToken) {
      return { list, isWhole: true };
    }
  }
  return { list, isWhole: false };
}

/** The organisations to choose from. One that is not among the first ones may be there all the same. */
export function choiceOf(read: Organisations | undefined, shown: string): readonly Organisation[] {
  const { list, isWhole } = read ?? { list: [], isWhole: true };
  return isWhole || !shown || list.some(({ slug }) => slug === shown)
    ? list
    : [{ slug: shown, displayName: '' }, ...list];
}
