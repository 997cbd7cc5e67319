import { Button, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';

import type { PageTokens } from './pageTokens';
import { plural } from './time';

interface PagerProps {
  readonly pages: PageTokens;
  readonly pageSize: number;
  /** How many are shown. */
  readonly shown: number;
  /** How many there are in all; undefined: not known. */
  readonly total: number | undefined;
  /** What is listed, as "user". */
  readonly noun: string;
  /** Empty: this is the last page. */
  readonly nextToken: string;
}

/** Says which part of a list is shown, and goes to the next and the previous one. */
export function Pager({ pages, pageSize, shown, total, noun, nextToken }: PagerProps) {
  const first = pages.before * pageSize;
  const range = `${(first + 1).toLocaleString('en-GB')} to ${(first + shown).toLocaleString('en-GB')}`;
  const isWhole = pages.before === 0 && !nextToken;
  return (
    <Group justify="space-between" mt="sm" component="nav" aria-label="Pages">
      <Text size="sm" role="status">
        {isWhole ? plural(shown, noun) : `${range}${total === undefined ? '' : ` of ${plural(total, noun)}`}`}
      </Text>
      {!isWhole && (
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconChevronLeft size={16} aria-hidden />}
            disabled={pages.before === 0}
            onClick={pages.previous}
          >
            Previous
          </Button>
          <Button
            size="xs"
            variant="default"
            rightSection={<IconChevronRight size={16} aria-hidden />}
            disabled={!nextToken}
            onClick={() => pages.next(nextToken)}
          >
            Next
          </Button>
        </Group>
      )}
    </Group>
  );
}
