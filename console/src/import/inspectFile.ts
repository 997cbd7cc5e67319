// Asks the server what a file is, and what its columns and values would be.

import { RosterFormat, type InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';

import { readingOptions, type RosterOptions } from './options';
import { retrying, type RetryContext } from './retrying';
import type { RosterUpload } from './RosterUpload';
import { PART_BYTES, type ImportCalls } from './uploadRoster';

interface FileToInspect {
  readonly file: File;
  readonly upload: RosterUpload;
  /** Its ID once it is ready. */
  readonly uploadId: () => string;
  readonly context: RetryContext;
}

/** CSV is known by its beginning. A large workbook has to be uploaded first: its directory is at its end. */
export async function inspectFile(
  calls: ImportCalls,
  options: RosterOptions,
  { file, upload, uploadId, context }: FileToInspect,
): Promise<InspectRosterResponse> {
  const { organization, kind } = options;
  const asked = { organization, ...readingOptions(options) };
  const { signal } = context;
  if (kind === 'workbook' && file.size >= PART_BYTES) {
    await upload.ready();
    return retrying(() => calls.inspectRoster({ ...asked, importId: uploadId() }, { signal }), context);
  }
  const content = new Uint8Array(await file.slice(0, PART_BYTES).arrayBuffer());
  return retrying(() => calls.inspectRoster({ ...asked, content }, { signal }), context);
}

/** Whether something does not match the roster's columns or the organisation's values, so that a person has to look. */
export function needsColumns(response: InspectRosterResponse): boolean {
  const { format, mapping, missingColumns, values } = response;
  return (
    missingColumns.length > 0 ||
    values.some(({ known }) => !known) ||
    (mapping !== undefined &&
      (Object.keys(mapping.columns).length > 0 ||
        Object.keys(mapping.templates).length > 0 ||
        mapping.values.length > 0 ||
        mapping.nullValues.length > 0 ||
        // An import passes over the titles of a workbook by itself.
        (mapping.skipLeadingLines > 0 && format !== RosterFormat.WORKBOOK) ||
        mapping.ignoredLinePrefixes.length > 0))
  );
}
