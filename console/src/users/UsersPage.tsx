import { Button, Text } from '@mantine/core';
import { IconSearchOff, IconTableImport, IconUsersPlus } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import { problemOf } from '~/api/problem';
import { useSession } from '~/session/Session';
import { ActionAlert } from '~/shared/ActionAlert';
import { EmptyState } from '~/shared/EmptyState';
import { Failure } from '~/shared/Failure';
import { IfPermitted } from '~/shared/IfPermitted';
import { AnchorLink } from '~/shared/links';
import { Loading } from '~/shared/Loading';
import { PageHeader } from '~/shared/PageHeader';
import { Pager } from '~/shared/Pager';
import { usePageTokens } from '~/shared/pageTokens';
import { plural } from '~/shared/time';

import { ExportMenu, ExportProgress, useUserExport } from './ExportMenu';
import { UserFilters } from './UserFilters';
import { isFiltered, type UserSearch } from './userSearch';
import { UserTable } from './UserTable';
import { PAGE_SIZE, useUserPage, type UserPage } from './useUserPage';

/** The list of users: the first screen. */
export function UsersPage() {
  const search = useSearch({ from: '/shell/users' });
  const exported = useUserExport(search);
  const { may } = useSession();
  return (
    <>
      <PageHeader title="Users">
        {may('users.read') && <ExportMenu running={exported} />}
        <Button component={Link} to="/import-users" leftSection={<IconTableImport size={16} aria-hidden />}>
          Import users
        </Button>
      </PageHeader>
      <IfPermitted needs="users.read" action="see users">
        <ExportProgress running={exported} />
        <UserList search={search} />
      </IfPermitted>
    </>
  );
}

function UserList({ search }: { readonly search: UserSearch }) {
  const pages = usePageTokens();
  const navigate = useNavigate({ from: '/users' });
  const page = useUserPage(search, pages.token);
  // Each letter of a search is no step of the browser's way back.
  const filter = (next: UserSearch) => void navigate({ search: next, replace: true });
  return (
    <>
      <UserFilters search={search} onChange={filter} />
      {page.error && page.users.length === 0 ? (
        <ListFailure page={page} search={search} onChange={filter} />
      ) : (
        <FoundUsers page={page} search={search} onChange={filter} />
      )}
      {page.users.length > 0 && !page.isIncomplete && (
        <Pager
          pages={pages}
          pageSize={PAGE_SIZE}
          shown={page.users.length}
          total={page.total}
          noun="user"
          nextToken={page.nextToken}
        />
      )}
    </>
  );
}

interface FoundUsersProps {
  readonly page: UserPage;
  readonly search: UserSearch;
  readonly onChange: (search: UserSearch) => void;
}

function FoundUsers({ page, search, onChange }: FoundUsersProps) {
  if (page.isPending) {
    return <Loading label="Reading the users" />;
  }
  return (
    <>
      {page.users.length > 0 && (
        <UserTable
          users={page.users}
          isOutdated={page.isOutdated}
          sort={search.sort}
          onSort={(sort) => onChange({ ...search, sort })}
        />
      )}
      {page.isIncomplete && <SearchOn page={page} />}
      {page.users.length === 0 && !page.isIncomplete && (
        <NoUsers isFiltered={isFiltered(search)} onClear={() => onChange({ sort: search.sort })} />
      )}
    </>
  );
}

/** Nothing can be listed. An order that the server refuses for so many users is left again. */
function ListFailure({ page, search, onChange }: FoundUsersProps) {
  const problem = problemOf(page.error);
  const byId = { ...search, sort: undefined };
  return problem.places.some(({ at }) => at === 'order_by') ? (
    <Failure
      problem={problem}
      title="There are too many users for this order"
      nextStep="They can be sorted by external ID, email or badge number."
      retryLabel="Sort by external ID"
      onRetry={() => onChange(byId)}
    />
  ) : (
    <Failure problem={problem} title="The users cannot be shown" onRetry={page.retry} />
  );
}

/** The search stopped early; it can go on. */
function SearchOn({ page }: { readonly page: UserPage }) {
  const looked = `${(page.calls * 20_000).toLocaleString('en-GB')} users`;
  return (
    <ActionAlert
      color="gray"
      title="The search is not finished"
      role="status"
      actions={
        page.isSearching ? (
          <Button size="xs" variant="default" onClick={page.stop}>
            Stop
          </Button>
        ) : (
          <Button size="xs" onClick={page.searchOn}>
            Search on
          </Button>
        )
      }
    >
      <Text size="sm">
        {looked} were compared, and {plural(page.users.length, 'user')} found on this page so far. There are
        more users to compare.
      </Text>
      {page.error && <Text size="sm">{problemOf(page.error).message}</Text>}
    </ActionAlert>
  );
}

function NoUsers({ isFiltered, onClear }: { readonly isFiltered: boolean; readonly onClear: () => void }) {
  if (isFiltered) {
    return (
      <EmptyState icon={<IconSearchOff />} title="No user passes the filters">
        Change the filters, or{' '}
        <Button variant="subtle" size="compact-sm" onClick={onClear}>
          show all users
        </Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<IconUsersPlus />} title="There are no users yet">
      Choose <em>Import users</em> to bring them in from a spreadsheet. The roles that they may have come
      first: set them up in the{' '}
      <AnchorLink to="/settings" underline="always">
        catalog
      </AnchorLink>
      .
    </EmptyState>
  );
}
