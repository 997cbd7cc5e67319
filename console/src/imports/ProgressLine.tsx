import { Progress, Text } from '@mantine/core';

import type { ImportProgress } from '~/gen/userimport/v1/types_pb';

import { progressInWords, progressShare } from './importWords';

/** How far an import is, as a bar and in words. */
export function ProgressLine({ progress }: { readonly progress: ImportProgress | undefined }) {
  const share = progressShare(progress);
  const words = progressInWords(progress);
  return (
    <>
      <Progress.Root size="sm">
        <Progress.Section value={share ?? 100} animated={share === undefined} aria-label={words} />
      </Progress.Root>
      <Text size="sm" role="status">
        {words}
      </Text>
    </>
  );
}
