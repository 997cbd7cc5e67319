import '@mantine/core/styles.css';
import './app/page.css';

import { createRoot } from 'react-dom/client';

import { App } from './app/App';
import { forgetImportsOnSignOut } from './import/forgetImports';
import { followAddress } from './session/changeToken';
import { takeTokenFromAddress } from './session/token';

takeTokenFromAddress();
followAddress();
forgetImportsOnSignOut();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(<App />);
}
