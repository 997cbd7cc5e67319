import { PageHeader } from '~/shared/PageHeader';
import { EmptyState, type EmptyStateProps } from '~/shared/EmptyState';

/** Stands in the place of a whole screen, under a heading of its own. */
export function ScreenNotice({ heading, ...notice }: EmptyStateProps & { readonly heading: string }) {
  return (
    <>
      <PageHeader title={heading} />
      <EmptyState {...notice} />
    </>
  );
}
