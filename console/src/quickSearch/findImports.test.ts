import { expect, test } from 'vitest';

import { findImports } from './findImports';

const imports = [
  { importId: 'aa11', source: 'HR nightly', undoes: '' },
  { importId: 'bb22', source: 'hr once', undoes: '' },
  { importId: 'cc33', source: '', undoes: 'aa11' },
];

test('imports are found by source and by the beginning of the ID', () => {
  expect(findImports(imports, 'hr', 5)).toEqual(imports.slice(0, 2));
  expect(findImports(imports, 'HR', 1)).toEqual(imports.slice(0, 1));
  expect(findImports(imports, 'cc3', 5)).toEqual(imports.slice(2));
  expect(findImports(imports, 'undo of import aa', 5)).toEqual(imports.slice(2));
});

test('one letter finds nothing yet', () => expect(findImports(imports, 'h', 5)).toEqual([]));
