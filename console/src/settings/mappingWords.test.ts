import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { MappingSchema } from '~/gen/userimport/v1/import_service_pb';

import { draftOfMapping, mappingOf } from './mappingDraft';
import { mappingInWords, mappingSize } from './mappingWords';

const mapping = create(MappingSchema, {
  columns: { Surname: 'LAST_NAME', 'Hire Date': '', Shift: '' },
  nullValues: ['N/A'],
  values: [
    { column: 'STATUS', cell: 'A', value: 'Active' },
    { column: 'RANK', cell: '', value: 'Officer' },
  ],
  templates: { USERNAME: '{{ row["Mail"] }}' },
  skipLeadingLines: 2,
  ignoredLinePrefixes: ['Total:', '#'],
});

test('a mapping is said in words', () => {
  expect(mappingInWords(mapping)).toEqual([
    'The first 2 lines of the file are left out.',
    'Lines that begin with “Total:” or “#” are no rows.',
    'The file’s column “Surname” is read as LAST_NAME.',
    '“Hire Date” and “Shift” are ignored.',
    '“N/A” means a blank cell.',
    'USERNAME is computed: {{ row["Mail"] }}',
    'In STATUS, “A” becomes “Active”.',
    'In RANK, a blank becomes “Officer”.',
  ]);
  expect(mappingSize(mapping)).toBe('3 columns, 2 values, 1 computed column');
  expect(mappingSize(create(MappingSchema))).toBe('Nothing is changed');
});

test('a mapping that nobody has touched is saved as it is', () => {
  expect(mappingOf(draftOfMapping(mapping))).toEqual(mapping);
});

test('lines that were added and left blank are none', () => {
  const draft = draftOfMapping(mapping);
  const changed = mappingOf({
    ...draft,
    columns: [...draft.columns, { key: -1, name: ' ', column: '' }],
    values: [...draft.values, { key: -2, column: '', cell: 'x', value: '' }],
    templates: [...draft.templates, { key: -3, column: '', template: '' }],
  });
  expect(changed).toEqual(mapping);
});
