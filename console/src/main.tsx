import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './app/page.css';

import { createRoot } from 'react-dom/client';

import { App } from './app/App';
import { takeTokenFromAddress } from './session/token';

takeTokenFromAddress();

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(<App />);
}
