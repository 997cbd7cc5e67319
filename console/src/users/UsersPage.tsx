import { PageHeader } from '~/shared/PageHeader';

export function UsersPage() {
  return <PageHeader title="Users" />;
}
