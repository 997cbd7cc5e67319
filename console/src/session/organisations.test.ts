import { createClient, createRouterTransport } from '@connectrpc/connect';
import { expect, test } from 'vitest';

import { DirectoryService } from '~/gen/userimport/v1/directory_service_pb';

import { choiceOf, readOrganisations } from './organisations';

function directoryOf(pages: number) {
  const transport = createRouterTransport(({ service }) =>
    service(DirectoryService, {
      listOrganizations: ({ pageToken }) => {
        const page = Number(pageToken || '0');
        return {
          organizations: [{ organization: `org-${page}`, displayName: `No. ${page}` }],
          nextPageToken: page + 1 < pages ? String(page + 1) : '',
        };
      },
    }),
  );
  return createClient(DirectoryService, transport);
}

test('all pages are read', async () => {
  const { list, isWhole } = await readOrganisations(directoryOf(3));
  expect(list.map(({ slug }) => slug)).toEqual(['org-0', 'org-1', 'org-2']);
  expect(isWhole).toBe(true);
});

test('reading ends, and what was not read may be there all the same', async () => {
  const read = await readOrganisations(directoryOf(1000));
  expect(read).toMatchObject({ isWhole: false });
  expect(read.list).toHaveLength(20);
  expect(choiceOf(read, 'org-500')[0]).toEqual({ slug: 'org-500', displayName: '' });
  expect(choiceOf(read, 'org-5')).toBe(read.list);
});

test('an organisation that is not there is not added to a whole list', () =>
  expect(choiceOf({ list: [], isWhole: true }, 'other')).toEqual([]));
