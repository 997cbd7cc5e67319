import { Tooltip } from '@mantine/core';
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';

import { absoluteTime, relativeTime } from './time';

/** A time in the viewer's zone: how long ago it is, with the absolute time on hover and for screen readers. */
export function When({
  at,
  absolute = false,
}: {
  readonly at: Timestamp | Date;
  readonly absolute?: boolean;
}) {
  const date = at instanceof Date ? at : timestampDate(at);
  const full = absoluteTime(date);
  return (
    <Tooltip label={full}>
      <time dateTime={date.toISOString()} aria-label={full} tabIndex={0}>
        {absolute ? full : relativeTime(date, new Date())}
      </time>
    </Tooltip>
  );
}
